import type { AttachedAddon } from '@lockstep/core/addon'
import type { Instant } from '@lockstep/core/instant'
import type { ItemNumbers } from '@lockstep/core/item-numbers'
import type { ColumnType } from 'kysely'

/** Read as whole seconds, written with `sqlTime(at)`. */
export type Time = ColumnType<Instant, Date, Date>
export type MaybeTime = ColumnType<Instant | null, Date | null | undefined, Date | null>
/** Read parsed, written as JSON text (`JSON.stringify`): the driver would send a list as an SQL array. */
export type Json<T = unknown> = ColumnType<T, string, string>
export type MaybeJson<T = unknown> = ColumnType<T | null, string | null | undefined, string | null>
/** The add-ons of a subscription, in order; written as JSON text. */
export type Addons = ColumnType<AttachedAddon[], string | undefined, string>
/** Written as JSON text. */
export type Numbers = ColumnType<ItemNumbers, string | undefined, string>
/** The provider's ids of things, in order; written as JSON text. */
export type Ids = ColumnType<string[], string | undefined, string>
/** Exact decimal text. */
export type Numeric = string
export type Default<T> = ColumnType<T, T | undefined, T>
