/** Standard Schema (standardschema.dev), which zod, valibot, arktype and others are. */

export interface StandardSchema<T> {
  readonly "~standard": {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): SchemaResult<T> | Promise<SchemaResult<T>>
    readonly types?: { readonly input: unknown; readonly output: T } | undefined
  }
}

export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** What a schema makes of a value; throws what it says of one that it refuses, for `badRecord`. */
export function accepted<T>(result: SchemaResult<T> | Promise<SchemaResult<T>>): T | Promise<T> {
  if (result instanceof Promise) return result.then<T>(accepted)
  if (result.issues) throw result
  return result.value
}
