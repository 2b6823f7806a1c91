/** Octets in one label (RFC 1035 §2.3.4). */
export const MAX_LABEL_OCTETS = 63;

/** Octets in a name as text, without the final dot: 255 on the wire less the root and the first length octet. */
export const MAX_NAME_OCTETS = 253;

/** UTF-16 units of a name that are looked at; longer text cannot become a name of 253 octets. */
export const MAX_NAME_TEXT = 1024;

/** Aliases followed for one question; a longer chain is a `servfail`, as resolvers answer it. */
export const MAX_CNAMES = 8;

/** Records in one in-memory zone. */
export const MAX_ZONE_RECORDS = 100_000;

/** Seconds every answer of an in-memory zone may be kept. */
export const ZONE_TTL = 300;

/** Distinct questions one message, or one share of its look-ups, may ask when the caller names no limit of its own. */
export const MAX_LOOKUPS_PER_MESSAGE = 200;

/**
 * Milliseconds for one question: all servers, the repetition over TCP and the following of aliases together. The wait for a
 * socket is not counted: it says nothing about the name.
 */
export const QUERY_DEADLINE_MS = 5000;

/** Sockets open at once in one client. */
export const MAX_QUERIES_IN_FLIGHT = 256;

/** The part of the sockets left that one owner of queries may have: of 256 with nobody else about it gets 52. */
export const MAX_PART_OF_FREE_SLOTS = 1 / 4;

/** Queries that may wait for a socket; one more is answered as a `network` failure at once. */
export const MAX_QUERIES_WAITING = 4096;

/** Name servers used of those configured; resolv.conf(5) has the same number. */
export const MAX_SERVERS = 3;

/** Milliseconds for which a name server that kept silent is asked after the others. */
export const SILENT_SERVER_MS = 30_000;

/** Octets of resolv.conf that are read. */
export const MAX_RESOLV_CONF_OCTETS = 65_536;

/** UDP payload we say we can take (DNS flag day 2020: it fits an unfragmented packet). */
export const UDP_PAYLOAD_OCTETS = 1232;

/** Datagrams that are not our answer which one query puts up with before it gives up on that server. */
export const MAX_STRAY_DATAGRAMS = 32;

/** Octets of a DNS message header (RFC 1035 §4.1.1): a shorter message says nothing. */
export const MIN_MESSAGE_OCTETS = 12;

/** Answers kept in the cache when the caller names no other number. */
export const CACHE_ENTRIES = 10_000;

/** Octets on the wire above which an answer is not kept. */
export const MAX_CACHED_OCTETS = 8192;

/** Octets of memory that all answers in the cache may take, each reckoned as those on the wire and {@link RECORD_OCTETS}. */
export const MAX_CACHE_OCTETS = 80_000_000;

/**
 * Octets of memory reckoned for each record of an answer, and for the answer itself, beside those on the wire: 13 octets
 * there can be an object of its own, or a pointer to a name of 253.
 */
export const RECORD_OCTETS = 500;

/** Seconds for which an answer with records is kept at least. */
export const MIN_POSITIVE_TTL = 30;

/** Seconds for which an answer with records is kept at most. */
export const MAX_POSITIVE_TTL = 86_400;

/** Seconds for which "no such name" and "no such record" are kept at most (RFC 2308 §5). */
export const MAX_NEGATIVE_TTL = 900;

/** Seconds for which a failure is kept, so that a dead domain does not cost every message a deadline (RFC 9520 §3.2). */
export const FAILURE_TTL = 5;

/** Characters of record texts whose readings one RecordCache keeps in a generation; it has two. */
export const MAX_CACHED_RECORD_CHARACTERS = 128 * 1024;

/** Characters of a record text above which its reading is not kept: nearly all records in use are shorter. */
export const MAX_CACHED_RECORD = 2048;
