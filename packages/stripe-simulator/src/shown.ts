import type { Json } from './rows.ts'

/**
 * An object as it is answered, derived from a declaration of the `stripe` package: decimals and enumerations
 * are text, a field that can be expanded holds its id, and an object that is embedded whole is checked where
 * it is rendered itself.
 */
export type Shown<T> = { [K in keyof T as Exclude<K, 'deleted' | 'lastResponse'>]: Value<T[K]> }

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
