-- Mail from outside with three fields that claim to be our results: two of them by our name. A client of this kind hears that fields
-- of a name go, and not which: the message behind it has none of ours.
mt.echo("verify")
conn = mt.connect("local:" .. socket)
if conn == nil then error("no connection") end
mt.macro(conn, SMFIC_CONNECT, "{daemon_name}", "smtpd")
if mt.conninfo(conn, "client.example.net", "192.0.2.7") ~= nil then error("conninfo") end
mt.macro(conn, SMFIC_MAIL, "i", "QUEUE1")
if mt.mailfrom(conn, "<bob@example.net>") ~= nil then error("mailfrom") end
if mt.header(conn, "Authentication-Results", " mx.receiver.test; dkim=pass header.d=example.net") ~= nil then error("header") end
if mt.header(conn, "From", " bob@example.net") ~= nil then error("header") end
if mt.header(conn, "Authentication-Results", " relay.example.net; spf=pass") ~= nil then error("header") end
if mt.header(conn, "authentication-results", " MX.receiver.test 1; dmarc=pass") ~= nil then error("header") end
if mt.header(conn, "Subject", " Hi") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.bodystring(conn, "Hello.\r\n") ~= nil then error("body") end
if mt.eom(conn) ~= nil then error("eom") end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("reply") end
if not mt.eom_check(conn, MT_HDRDELETE, "authentication-results") then error("the forged fields stay") end
if not mt.eom_check(conn, MT_HDRINSERT, "Authentication-Results") then error("no results") end
if mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature") then error("signed") end
-- Results of another host alone: nothing goes.
if mt.mailfrom(conn, "<bob@example.net>") ~= nil then error("mailfrom") end
if mt.header(conn, "Authentication-Results", " relay.example.net; spf=pass") ~= nil then error("header") end
if mt.header(conn, "From", " bob@example.net") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.eom(conn) ~= nil then error("eom") end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("reply") end
if mt.eom_check(conn, MT_HDRDELETE) then error("a field of another host goes") end
if not mt.eom_check(conn, MT_HDRINSERT, "Authentication-Results") then error("no results") end
mt.disconnect(conn)
mt.echo("done")
