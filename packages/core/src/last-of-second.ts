type Fields = Readonly<Record<string, unknown>>

/** What an event says of its object. */
export interface Telling {
  /** The object as it was right after what the event tells of. */
  readonly after: Fields
  /** What of it was otherwise before (`previous_attributes`); null where the event does not say. */
  readonly previous: Fields | null
  /** The event tells that the object was made, or came into the stage that it shows: nothing of that stage was before it. */
  readonly isFirst: boolean
}

/** More than this of one second are not put in order. */
export const MOST_OF_A_SECOND = 100

/**
 * The place in `tellings` of one that shows how the object stood when all of them had happened; undefined where they do
 * not say. Events have a resolution of one second: of those that share one, nothing but what they show tells the order.
 *
 * `stageOf` says how far an object has come on a way on which none goes back, such as an invoice from draft to paid. What shows
 * the last stage came after all that shows an earlier one, so only that is looked at. If all of it shows the same, that is it.
 *
 * Else each is a step from the object as it was before to the object as it was after it. Whatever order they came in, each step
 * began where the one before it ended, so all of them are one walk that takes each step once. A walk leaves each state as often
 * as it enters it, but for the first, which it leaves once more, and the last, which it enters once more. So every order that is
 * possible ends in the same state, unless it ends where it began: then nobody knows. That holds for what is known of the
 * second; whoever hears of more of it asks again, with all of them.
 *
 * A stage is begun once, however many events tell of that. Any other step that is told twice may be one that was told by two
 * events (https://docs.stripe.com/webhooks#handle-duplicate-events), or be two: nobody knows. What does not say what was before is no
 * step. It is believed only where it shows the state that the others end in.
 * Of `previous_attributes`: https://docs.stripe.com/api/events/object#event_object-data-previous_attributes
 */
export function lastOfSecond(
  tellings: readonly Telling[],
  stageOf: (object: Fields) => number,
): number | undefined {
  if (tellings.length === 0 || tellings.length > MOST_OF_A_SECOND) return undefined
  const stage = Math.max(...tellings.map(({ after }) => stageOf(after)))
  const steps = tellings
    .map((telling, place) => ({ place, ...stepOf(telling, stage, stageOf) }))
    .filter(({ isLate }) => isLate)
  const end = new Set(steps.map(({ to }) => to)).size === 1 ? steps[0]?.to : endOf(steps)
  return steps.findLast(({ to }) => to === end)?.place
}

interface Step {
  /** Undefined: the event does not say. */
  readonly from: string | undefined
  readonly to: string
}

/** Before the stage began, whatever it was then. */
const BEFORE = ''

function stepOf({ after, previous, isFirst }: Telling, stage: number, stageOf: (object: Fields) => number) {
  const was = previous === null ? undefined : before(after, previous)
  const begins = isFirst || (was !== undefined && stageOf(was) < stage)
  const from = begins ? BEFORE : was && nameOf(was)
  return { isLate: stageOf(after) === stage, from, to: nameOf(after) }
}

function endOf(steps: readonly Step[]): string | undefined {
  const known = steps.filter((step): step is Step & { readonly from: string } => step.from !== undefined)
  const walk = known.filter(
    ({ from, to }, i) =>
      from !== BEFORE || known.findIndex((one) => one.from === BEFORE && one.to === to) === i,
  )
  if (new Set(walk.map(({ from, to }) => `${from} ${to}`)).size < walk.length) return undefined
  const surplus = new Map<string, number>()
  const count = (state: string, one: number) => surplus.set(state, (surplus.get(state) ?? 0) + one)
  for (const { from, to } of walk) {
    count(from, -1)
    count(to, 1)
  }
  const uneven = [...surplus].filter(([, more]) => more !== 0)
  const end = uneven.find(([, more]) => more === 1)?.[0]
  if (uneven.length !== 2 || end === undefined || !hangTogether(walk)) return undefined
  return steps.every(({ from, to }) => from !== undefined || to === end) ? end : undefined
}

/** Every state is reached from the first step, in whatever direction: without that, it is no walk. */
function hangTogether([first, ...others]: readonly (Step & { readonly from: string })[]): boolean {
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
