import { createEndpoint } from '../resources/webhook-endpoints.ts'
import { versionOf } from '../versions/versions.ts'
import { NOBODY, type World } from '../world.ts'

/** An endpoint that a simulator is started with. */
export interface StartEndpoint {
  readonly url: string
  readonly secret: string
  readonly enabledEvents?: readonly string[]
  /** The version that its events come in; the account's when absent. */
  readonly apiVersion?: string
}

/**
 * The endpoints of a start are those it names, as one of `stripe listen` goes with its process: of an earlier start's, kept
 * in the state, those named again get what is said now, with the events that they wait for, and the others are gone.
 */
export function setStartEndpoints(world: World, named: readonly StartEndpoint[]): void {
  for (const { apiVersion } of named) if (apiVersion !== undefined) versionOf(apiVersion)
  world.transaction(NOBODY, () => {
    const earlier = new Set(
      world.webhookEndpoints
        .all()
        .filter(
          ({ url, own }) => own.ofStart ?? named.some((one) => one.url === url && one.secret === own.secret),
        ),
    )
    for (const { url, secret, enabledEvents = ['*'], apiVersion } of named) {
      const same = [...earlier].filter((row) => row.url === url)
      const known = same.find((row) => row.own.secret === secret) ?? same[0]
      if (known !== undefined) earlier.delete(known)
      const { id } = known ?? createEndpoint(world, { url, secret, enabled_events: [...enabledEvents] })
      world.webhookEndpoints.patch(id, {
        api_version: apiVersion ?? null,
        enabled_events: [...enabledEvents],
        own: { secret, ofStart: true },
      })
    }
    for (const { id } of earlier) world.webhookEndpoints.delete(id)
  })
}
