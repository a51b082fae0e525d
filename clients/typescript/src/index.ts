/** Streams that survive: `import { stream } from "headwater"`. */

export type { Codec, CodecOption } from "./codec.ts"
export { type Change, type Environment } from "./environment.ts"
export { type ClientCode, type ErrorCode, HeadwaterError } from "./errors.ts"
export type { Producer, ProducerOptions } from "./producer.ts"
export type { Batch, Checkpoint, End, Gap, ReadOptions, Reader, ReaderEvents, ReaderState, Rec } from "./reader.ts"
export type { Raw } from "./records.ts"
export type { RequestOptions } from "./request.ts"
export type { Retry } from "./retry.ts"
export type { StandardSchema } from "./schema.ts"
export { type CreateOptions, type Stream, type StreamOptions, stream } from "./stream.ts"
export type { Info, Member, Offset, Presence, Principal, Signal, SignalOptions, Slow, TransportChoice, TransportFactory, TransportName } from "./transport.ts"
