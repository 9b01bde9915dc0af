type Fields = Readonly<Record<string, unknown>>

/** What an event says of its object. */
export interface Telling {
  /** The object as it was right after what the event tells of. */
  readonly after: Fields
  /** What of it was otherwise before (`previous_attributes`); null where the event does not say. */
  readonly previous: Fields | null
  /** The event tells that the object was made: nothing was before it. */
  readonly isFirst: boolean
}

/** More than this of one second are not put in order. */
export const MOST_OF_A_SECOND = 100

/**
 * The place in `tellings` of one that shows how the object stood when all of them had happened; undefined where they do
 * not say. Events have a resolution of one second: of those that share one, nothing but what they show tells the order.
 *
 * Each is a step from the object as it was before to the object as it was after it. Whatever order they came in, each step
 * began where the one before it ended, so all of them are one walk that takes each step once. A walk leaves each state as often
 * as it enters it, but for the first, which it leaves once more, and the last, which it enters once more. So every order that is
 * possible ends in the same state, unless it ends where it began: then nobody knows. That holds for what is known of the
 * second; whoever hears of more of it asks again, with all of them.
 *
 * One that does not say what was before is no step. It is believed only where it shows the state that the others end in. The same step
 * twice may be one that was told by two events (https://docs.stripe.com/webhooks#handle-duplicate-events), or be two: nobody knows.
 * Of `previous_attributes`: https://docs.stripe.com/api/events/object#event_object-data-previous_attributes
 */
export function lastOfSecond(tellings: readonly Telling[]): number | undefined {
  if (tellings.length > MOST_OF_A_SECOND) return undefined
  const steps = tellings.map(({ after, previous, isFirst }) => ({
    to: nameOf(after),
    from: isFirst ? NOTHING : previous === null ? undefined : nameOf(before(after, previous)),
  }))
  const known = steps.filter((step): step is Step => step.from !== undefined)
  if (new Set(known.map(({ from, to }) => `${from} ${to}`)).size < known.length) return undefined
  const surplus = new Map<string, number>()
  const count = (state: string, one: number) => surplus.set(state, (surplus.get(state) ?? 0) + one)
  for (const { from, to } of known) {
    count(from, -1)
    count(to, 1)
  }
  const uneven = [...surplus].filter(([, more]) => more !== 0)
  const end = uneven.find(([, more]) => more === 1)?.[0]
  if (uneven.length !== 2 || end === undefined || !hangTogether(known)) return undefined
  if (steps.some(({ from, to }) => from === undefined && to !== end)) return undefined
  const at = steps.findLastIndex(({ to }) => to === end)
  return at === -1 ? undefined : at
}

interface Step {
  readonly from: string
  readonly to: string
}

/** How an object stands before it is made. */
const NOTHING = ''

/** Every state is reached from the first step, in whatever direction: without that, it is no walk. */
function hangTogether([first, ...others]: readonly Step[]): boolean {
  if (first === undefined) return false
  const reached = new Set([first.from, first.to])
  let apart = others
  for (;;) {
    const still = apart.filter(({ from, to }) => !reached.has(from) && !reached.has(to))
    for (const { from, to } of apart) if (reached.has(from) || reached.has(to)) reached.add(from).add(to)
    if (still.length === 0) return true
    if (still.length === apart.length) return false
    apart = still
  }
}

/** Objects are told key by key, a changed list whole. */
function before(after: Fields, previous: Fields): Fields {
  const changed = Object.entries(previous).map(([name, was]) => {
    const is = after[name]
    return [name, isFields(was) && isFields(is) ? before(is, was) : was]
  })
  return { ...after, ...Object.fromEntries(changed) }
}

/** The same text for the same state. What was not there is told as null, so both are left out. */
function nameOf(state: Fields): string {
  return JSON.stringify(state, (_, value: unknown) =>
    isFields(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, one]) => one !== null && one !== undefined)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : value,
  )
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
