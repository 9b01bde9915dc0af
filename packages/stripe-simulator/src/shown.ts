import type { Json } from './rows.ts'

/**
 * An object as it is answered, derived from a declaration of the `stripe` package: decimals and enumerations
 * are text, a field that can be expanded holds its id, and an object that is embedded whole is checked where
 * it is rendered itself.
 *
 * `own` may stay as a column without a value, which no text of it has. `{ ...row, own: undefined }` copies a
 * row of 75 columns in 0.1 µs, leaving a column out takes 2.5 µs; in a function that all kinds of rows go
 * through it takes 1.4 µs, so that it is written in every renderer.
 */
export type Shown<T> = { [K in keyof T as Exclude<K, 'deleted' | 'lastResponse'>]: Value<T[K]> } & {
  own?: undefined
}

type Value<V> = string extends Extract<V, string> ? string | Extract<V, number | null | undefined> : Each<V>

type Each<V> = V extends { toNumber(): number }
  ? string
  : V extends string
    ? string
    : V extends readonly (infer E)[]
      ? Value<E>[]
      : V extends { object: string }
        ? Json
        : V extends object
          ? { [K in keyof V as Exclude<K, 'deleted'>]: Value<V[K]> }
          : V
