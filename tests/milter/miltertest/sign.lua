-- One message from a login, over the client of opendkim: it must come back with one DKIM-Signature.
mt.echo("sign")
conn = mt.connect("local:" .. socket)
if conn == nil then error("no connection") end
mt.macro(conn, SMFIC_CONNECT, "{daemon_name}", "smtpd")
if mt.conninfo(conn, "client.example.org", "192.0.2.7") ~= nil then error("conninfo") end
mt.macro(conn, SMFIC_MAIL, "i", "QUEUE1", "{auth_authen}", "ann@example.org")
if mt.mailfrom(conn, "<ann@example.org>") ~= nil then error("mailfrom") end
if mt.header(conn, "From", " ann@example.org") ~= nil then error("header") end
if mt.header(conn, "Subject", " Hi") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.bodystring(conn, "Hello.\r\n") ~= nil then error("body") end
if mt.eom(conn) ~= nil then error("eom") end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("reply") end
if not mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature") then error("no signature") end
-- A message given up, and another one on the same connection.
if mt.mailfrom(conn, "<ann@example.org>") ~= nil then error("mailfrom") end
mt.abort(conn)
if mt.mailfrom(conn, "<>") ~= nil then error("mailfrom") end
if mt.header(conn, "From", " bob@example.net") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.eom(conn) ~= nil then error("eom") end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("reply") end
if not mt.eom_check(conn, MT_HDRINSERT, "Authentication-Results") then error("no results") end
mt.disconnect(conn)
mt.echo("done")
