-- Refusals, each for one message of a session: for good, and for now. The session goes on after both. A client of this kind
-- hears that there is a reply code and not which: the log of the milter says it.
mt.echo("refuse")
conn = mt.connect("local:" .. socket)
if conn == nil then error("no connection") end
mt.macro(conn, SMFIC_CONNECT, "{daemon_name}", "smtpd")
if mt.conninfo(conn, "client.example.org", "192.0.2.7") ~= nil then error("conninfo") end
-- Ann is not Bob.
mt.macro(conn, SMFIC_MAIL, "i", "QUEUE1", "{auth_authen}", "ann@example.org")
if mt.mailfrom(conn, "<ann@example.org>") ~= nil then error("mailfrom") end
if mt.header(conn, "From", " bob@example.org") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.eom(conn) ~= nil then error("eom") end
if mt.getreply(conn) ~= SMFIR_REPLYCODE then error("not refused") end
if mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature") then error("signed") end
-- There is no key for this domain yet.
mt.macro(conn, SMFIC_MAIL, "i", "QUEUE2", "{auth_authen}", "ann@example.com")
if mt.mailfrom(conn, "<ann@example.com>") ~= nil then error("mailfrom") end
if mt.header(conn, "From", " ann@example.com") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.eom(conn) ~= nil then error("eom") end
if mt.getreply(conn) ~= SMFIR_REPLYCODE then error("not deferred") end
-- The next one is none the worse for them.
mt.macro(conn, SMFIC_MAIL, "i", "QUEUE3", "{auth_authen}", "ann@example.org")
if mt.mailfrom(conn, "<ann@example.org>") ~= nil then error("mailfrom") end
if mt.header(conn, "From", " ann@example.org") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.eom(conn) ~= nil then error("eom") end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("reply") end
if not mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature") then error("no signature") end
mt.disconnect(conn)
mt.echo("done")
