import type { EventData, Json } from '../rows.ts'
import type { Version } from '../versions/versions.ts'
import { diff } from './diff.ts'

type Show = (version: Version, object: Json) => Json

/**
 * Events as older versions see them, rendered when they are made. `previous_attributes` compare what the
 * older version sees now with what it saw then. https://docs.stripe.com/webhooks/versioning
 */
export class OlderEvents {
  readonly #show: Show
  /** By snapshot in the newest shape: how versions saw it at the last event that told of it. */
  readonly #seen = new WeakMap<Json, Map<Version, Json>>()

  constructor(show: Show) {
    this.#show = show
  }

  /** By version; undefined when all of them see the newest shape. */
  of(
    versions: Iterable<Version>,
    data: EventData,
    before: Json | undefined,
  ): { [version: string]: EventData } | undefined {
    let older: { [version: string]: EventData } | undefined
    for (const version of versions) {
      const object = this.#show(version, data.object)
      if (object === data.object) continue
      older ??= {}
      older[version] =
        data.previous_attributes === undefined
          ? { object }
          : { object, previous_attributes: diff(this.#before(version, data, before), object) }
      this.#remember(version, data.object, object)
    }
    return older
  }

  #before(version: Version, { object, previous_attributes: previous }: EventData, before: Json | undefined) {
    const known = before === undefined ? undefined : this.#seen.get(before)?.get(version)
    return known ?? this.#show(version, before ?? restored(object, previous ?? {}))
  }

  #remember(version: Version, newest: Json, object: Json): void {
    const seen = this.#seen.get(newest) ?? new Map<Version, Json>()
    seen.set(version, object)
    this.#seen.set(newest, seen)
  }
}

/** The object as it was: what changed is put back, inside objects key by key. */
function restored(object: Json, previous: Json): Json {
  const before = { ...object }
  for (const [key, was] of Object.entries(previous)) {
    const is = before[key]
    before[key] = isPlain(was) && isPlain(is) ? restored(is, was) : was
  }
  return before
}

function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
