/** Enough chance that no two are alike; `randomUUID` is not there on pages without TLS. */
export const name = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-")
