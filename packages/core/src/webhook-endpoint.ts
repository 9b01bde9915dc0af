import type { Instant } from './instant.ts'

/** Where a provider's events shall be sent, in which version, and which. */
export interface WantedEndpoint {
  readonly url: string
  readonly version: string
  /** Exactly these kinds of events. */
  readonly events: readonly string[]
}

/** An endpoint as the provider lists it. */
export interface SeenEndpoint {
  readonly id: string
  readonly url: string
  readonly enabled: boolean
  /** Null: whatever version the account has at the moment. */
  readonly version: string | null
  /** `*` stands for all that need no explicit mention. */
  readonly events: readonly string[]
  readonly created: Instant
  /** By which its secret is recognised without being known; null where it was made by other means. */
  readonly secretPrint: string | null
}

/** What an endpoint does not send, sends without need, or sends in another way. */
export interface EndpointDifference {
  readonly missing: readonly string[]
  readonly surplus: readonly string[]
  readonly disabled: boolean
  /** The version that it sends instead; undefined where it is the wanted one. It cannot be changed, only replaced. */
  readonly otherVersion: string | undefined
}

/**
 * One step towards the wanted set-up. `keep`, `update`: an endpoint that is there. `create`: there is none,
 * or a second one beside it was asked for. `retire`: an older one, which the newest took over from.
 */
export type EndpointStep =
  | { readonly do: 'create'; readonly because: string }
  | {
      readonly do: 'keep' | 'update'
      readonly endpoint: SeenEndpoint
      readonly difference: EndpointDifference
    }
  | { readonly do: 'retire'; readonly endpoint: SeenEndpoint; readonly successor: SeenEndpoint }

/**
 * `set up`: one endpoint that sends what is needed. `rotate`: a second one, with a secret of its own and the
 * wanted version, so that both secrets hold for a while. `retire`: an end to all but the newest.
 */
export type EndpointWish = 'set up' | 'rotate' | 'retire'

/** What has to be done for a wish; of endpoints of other addresses nothing. In the order of its doing. */
export function planEndpoint(
  wanted: WantedEndpoint,
  seen: readonly SeenEndpoint[],
  wish: EndpointWish,
): EndpointStep[] {
  const ours = seen.filter(({ url }) => url === wanted.url).sort((a, b) => b.created - a.created)
  const [newest, ...older] = ours
  if (!newest) return [{ do: 'create', because: 'There is none for this address.' }]
  const stay = ours.map((endpoint): EndpointStep => {
    const difference = differenceOf(wanted, endpoint)
    return { do: isUpToDate(difference) ? 'keep' : 'update', endpoint, difference }
  })
  if (wish === 'set up') return stay
  if (wish === 'rotate') return [{ do: 'create', because: besides(ours.length) }, ...stay]
  return [
    ...stay.slice(0, 1),
    ...older.map((endpoint): EndpointStep => ({ do: 'retire', endpoint, successor: newest })),
  ]
}

/** Whoever lost a secret rotates once more: then there are more than two for a while. */
const besides = (others: number): string =>
  others === 1
    ? 'A second one, so that both secrets hold for a while.'
    : `One more beside ${others}, so that all secrets hold for a while.`

export function differenceOf(
  { events, version }: Pick<WantedEndpoint, 'events' | 'version'>,
  seen: SeenEndpoint,
): EndpointDifference {
  const sent = new Set(seen.events)
  const needed = new Set(events)
  return {
    missing: sent.has('*') ? [] : events.filter((type) => !sent.has(type)),
    surplus: seen.events.filter((type) => !needed.has(type)),
    disabled: !seen.enabled,
    otherVersion: seen.version === version ? undefined : (seen.version ?? "the account's"),
  }
}

/** Whether nothing of it can be changed for the better. Its version cannot. */
export function isUpToDate({ missing, surplus, disabled }: EndpointDifference): boolean {
  return missing.length === 0 && surplus.length === 0 && !disabled
}
