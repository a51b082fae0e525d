/** The numbers that reading and connections go by. Times are in milliseconds. */

/** Browsers fire a longer timeout at once. */
export const LONGEST: number = 2_147_483_647
/** Characters of a line, or of an event, that is not complete: 64 Mi. */
export const MOST_HELD: number = 67_108_864
/** Bytes held for a consumer that does not pull, unless it says how many. */
export const BUFFER: number = 65_536

/** A heartbeat is sent as often as this in the time after which silence is the end. */
export const BEATS: number = 2.5
/** Heartbeats of silence after which a page that is seen again does not trust its connection: one is missing. */
export const TRUSTED_BEATS: number = 1.2
/** The silence of a server that tells no heartbeat: as of the usual one of 15 s. */
export const SILENCE: number = 37_500
/** A timer that fires this late was asleep with the machine: it says "look", not "dead". */
export const ASLEEP: number = 1000
/** To hear something then. */
export const GRACE: number = 3000
/** On a transport that does not say where the tail is, a moment of silence does. */
export const QUIET: number = 1000

/** Requests in a minute that bring nothing; three below fifteen, for the one that asks why. */
export const PACE: number = 12
export const MINUTE: number = 60_000
/** From one end that the server planned to the next. */
export const PLANNED: number = 1000
/** In which clients spread whose network is back. */
export const BACK: number = 500
/** Answers of something else, such as a login page, after which it is asked no more. */
export const BAD_ANSWERS: number = 3

/** Until the first byte, where there is another transport to turn to. */
export const FIRST_BYTE: number = 3000
/** An answer that ends sooner than this, and brings nothing, is quick. */
export const QUICK: number = 1000
/** So long a stream that was created may not be known to each server. */
export const FRESH: number = 10_000

/** What was told on a connection is acknowledged after so long. */
export const ACKNOWLEDGED: number = 1000
/** So long who waits on a connection waits for another one who does not take what comes. */
export const STALLED: number = 1000
/** Signals that wait for a listener that does not take them; the oldest go. */
export const MOST_SIGNALS: number = 1000
/** `readyState` of a WebSocket that is open. */
export const SOCKET_OPEN: number = 1
