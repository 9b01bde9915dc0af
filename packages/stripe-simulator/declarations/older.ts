import type { Json } from '../src/rows.ts'
import type { changes } from '../src/versions/changes.ts'
import type { Version, versions } from '../src/versions/versions.ts'
import type { World } from '../src/world.ts'

/** A row that is answered as it is, but for what is Stripe's own. Embedded objects are checked by themselves. */
export type Plain<Row> = { [K in keyof Omit<Row, 'own'>]: Opaque<Omit<Row, 'own'>[K]> }
type Opaque<V> = V extends { object: string } ? Json : V extends readonly (infer E)[] ? Opaque<E>[] : V

/** An object of the newest version as `V` answers it: the changes since taken back one by one. */
export type Older<T, Name, V extends Version> = Back<T, Name, typeof changes, Newer<V>>

/** The versions after `V`. */
type Newer<V, All extends readonly unknown[] = typeof versions> = All extends readonly [
  infer First,
  ...infer Rest,
]
  ? First extends V
    ? never
    : First | Newer<V, Rest>
  : never

/** The table is sorted: the first change that is not newer ends the chain. */
type Back<T, Name, Changes extends readonly unknown[], Since> = Changes extends readonly [
  infer Change,
  ...infer Rest,
]
  ? Change extends { since: Since }
    ? Back<Step<T, Name, Change>, Name, Rest, Since>
    : T
  : T

type Step<T, Name, Change> = Change extends { show: infer Show }
  ? Name extends keyof Show
    ? Turned<T, Show[Name]>
    : T
  : T

type Turned<T, Turn> = Omit<T, Dropped<Turn> | keyof Givers<Turn>> & Given<T, Givers<Turn>>

type Dropped<Turn> = Turn extends { drop: readonly (infer Field)[] } ? Field & PropertyKey : never
type Givers<Turn> = Turn extends { give: infer Give } ? Give : Record<never, never>

/** A field that is given, or a complaint where its function reads what the newer object does not have. */
type Given<T, Give> = {
  -readonly [Field in keyof Give]: Give[Field] extends (newer: infer Read, world: World) => infer Value
    ? T extends Read
      ? Value
      : { reads: Read; of: T }
    : never
}
