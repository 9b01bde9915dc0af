// What invoices brought in for time, and what of it goes back: by a refund, by the credit of a change, at an end.

/** Cents of a line, and the end of the time that it is for. */
export interface Span {
  readonly until: number
  readonly cents: number
}

/** A part of a fee that was charged, or given back, in the middle of a period. */
export interface Proration extends Span {
  readonly at: number
  /** Of what is given back: the invoice that had billed it; null where none had, or the one on which it stands itself. */
  readonly on: number | null
}

/** An invoice that was collected, or given up after the balance had paid a part of it. */
export interface Paid {
  readonly number: number
  /** When it was made. */
  readonly at: number
  readonly total: number
  /** What came in by whatever way; below zero what it put on the balance. */
  readonly came: number
  /** Of it, what the card paid, and what it got back. */
  readonly charge: number
  readonly refunded: number
  /** Given back by refunds and by notes. */
  readonly back: number
  /** What later invoices credited of it beyond what they bill for the same time. */
  readonly credited: number
  /** What it was asked for of the time that it credits itself, which paid as much of it. */
  readonly passed: number
  /** The end of the period. */
  readonly until: number
  /** Since when it credits time, which was bought before. */
  readonly creditedSince: number
  readonly lines: readonly Proration[]
}

interface Claim {
  readonly on: number
  readonly cents: number
}

export const centsOf = (spans: readonly Span[]) => spans.reduce((sum, { cents }) => sum + cents, 0)

/** Since when time is credited by any of them, which was bought before then; `otherwise` where none does. */
export function creditedSince(prorations: readonly Proration[], otherwise: number): number {
  const credits = prorations.filter(({ cents }) => cents < 0)
  return Math.min(otherwise, ...credits.map(({ at }) => at))
}

export const claimsOf = (spans: readonly Proration[]): Claim[] =>
  spans.flatMap(({ on, cents }) => (cents < 0 && on !== null ? [{ on, cents: -cents }] : []))

/** What was paid for time that has not passed, and not given back; `claims`: what is left of it now, by the invoices that billed it. */
export function keptAhead(paid: readonly Paid[], now: number, claims: readonly Claim[]): number {
  const ahead = hangingTogether(billedAhead(paid, now), now, claims)
  const over = ahead.flatMap(({ lines }) => lines.filter(({ until }) => until <= now))
  return ahead.reduce((sum, { came, back }) => sum + came - back, 0) - Math.max(0, centsOf(over))
}

function billedAhead(paid: readonly Paid[], since: number): readonly Paid[] {
  const ahead = paid.filter(({ until }) => until > since)
  const before = Math.min(since, ...ahead.map((one) => one.creditedSince))
  return before < since ? billedAhead(paid, before) : ahead
}

/** Those that are claimed, what credits them or they credit, and so on; and what credits time ahead that nobody paid. */
function hangingTogether(ahead: readonly Paid[], now: number, claims: readonly Claim[]): readonly Paid[] {
  const creditsUnpaid = ({ lines }: Paid) =>
    claimsOf(lines.filter(({ until }) => until > now)).some(
      ({ on }) => !ahead.some((one) => one.number === on),
    )
  const found = new Set([
    ...claims.map(({ on }) => on),
    ...ahead.filter(creditsUnpaid).map(({ number }) => number),
  ])
  for (const number of found)
    for (const one of ahead) {
      const credited = claimsOf(one.lines).map(({ on }) => on)
      if (one.number === number) for (const on of credited) found.add(on)
      else if (credited.includes(number)) found.add(one.number)
    }
  return ahead.filter(({ number }) => found.has(number))
}

/** Of an invoice, what a refund to the card may still be. */
export function refundable({ came, back, credited, charge, refunded }: Paid): number {
  return Math.max(0, Math.min(came - back - credited, charge - refunded))
}

export function refunded(paid: readonly Paid[], number: number, amount: number): readonly Paid[] {
  return paid.map((one) =>
    one.number === number ? { ...one, back: one.back + amount, refunded: one.refunded + amount } : one,
  )
}

/**
 * A new invoice gives back more than it bills for the same time: by that much it has taken of what those brought in whose time it credits.
 * What it credits of one that has less left comes off what that one credited itself.
 */
export function creditedBy(paid: readonly Paid[], lines: readonly Proration[]): readonly Paid[] {
  const beyond = Math.max(0, -centsOf(lines))
  const claims = shares(beyond, claimsOf(lines))
  const taken = askedOf(paid, claims, beyond, ({ came, back, credited }) => came - back - credited)
  return paid.map((one) => {
    const { own, passed } = taken.get(one.number) ?? { own: 0, passed: 0 }
    return { ...one, credited: one.credited + own, passed: one.passed + passed }
  })
}

export interface Unused {
  readonly lines: readonly Proration[]
  readonly claims: readonly Claim[]
  readonly cents: number
  readonly now: number
}

/** What an end gives back of what is unused: what was paid for it, and is here. A refund goes to the card alone. */
export function givenBack(
  paid: readonly Paid[],
  { claims, cents, now }: Omit<Unused, 'lines'>,
  how: 'credit' | 'refund',
): { readonly cents: number; readonly paid: readonly Paid[] } {
  const over = overOf(paid, now)
  const taken = askedOf(paid, claims, cents, (invoice) => {
    const { came, back, credited, total } = invoice
    const { used, carried } = over.get(invoice.number) ?? { used: 0, carried: 0 }
    return Math.min(came - back - Math.max(0, credited - carried) - Math.max(0, used), total - back)
  })
  let left = Math.max(0, keptAhead(paid, now, claims))
  const after = paid.toReversed().map((invoice) => {
    const { came, back, credited } = invoice
    const most = how === 'refund' ? refundable(invoice) : Math.max(0, came - back - credited)
    const given = Math.min(taken.get(invoice.number)?.own ?? 0, most, left)
    left -= given
    return { ...invoice, back: back + given, refunded: invoice.refunded + (how === 'refund' ? given : 0) }
  })
  const sumOf = (all: readonly Paid[]) => all.reduce((sum, { back }) => sum + back, 0)
  return { cents: sumOf(after) - sumOf(paid), paid: after.toReversed() }
}

/**
 * What each invoice billed for time that is over, less what later ones credited of that and carried to time ahead: with it
 * they paid for that.
 */
function overOf(paid: readonly Paid[], now: number) {
  const carried = new Map<number, number>()
  return new Map(
    paid.toReversed().map(({ number, lines }) => {
      const over = centsOf(lines.filter(({ until }) => until <= now))
      const own = carried.get(number) ?? 0
      for (const { on, cents } of shares(Math.max(0, own - over), claimsOf(lines)))
        carried.set(on, (carried.get(on) ?? 0) + cents)
      return [number, { used: over - own, carried: own }] as const
    }),
  )
}

/**
 * Asks the newest invoice first: each for what is left of what it brought in itself, and for what it lacks of the claim those
 * whose time it credits, because they paid it.
 */
function askedOf(
  paid: readonly Paid[],
  claims: readonly Claim[],
  most: number,
  leftOf: (invoice: Paid) => number,
): ReadonlyMap<number, { readonly own: number; readonly passed: number }> {
  const asked = new Map<number, number>()
  const ask = ({ on, cents }: Claim) => asked.set(on, (asked.get(on) ?? 0) + cents)
  claims.forEach(ask)
  let left = most
  return new Map(
    paid.toReversed().map((invoice) => {
      const wanted = Math.min(asked.get(invoice.number) ?? 0, left)
      const own = Math.min(wanted, Math.max(0, leftOf(invoice)))
      const passed = Math.min(wanted - own, roomOf(invoice))
      const mayBeMore = ({ on, cents }: Claim) =>
        paid.some((one) => {
          const all = Math.max(0, leftOf(one)) + roomOf(one)
          return one.number === on && all > (asked.get(on) ?? 0) + cents
        })
      for (const share of shares(passed, claimsOf(invoice.lines), mayBeMore)) ask(share)
      left -= wanted - passed
      return [invoice.number, { own, passed }] as const
    }),
  )
}

/** What it credits of others has paid for it, but for what it put on the balance or passed on before. */
function roomOf({ lines, passed, came }: Paid): number {
  const all = claimsOf(lines).reduce((sum, { cents }) => sum + cents, 0)
  return Math.max(0, all - passed + Math.min(0, came))
}

/** As much of each as it claims, in whole cents; what does not divide goes to the first of which more may be asked, if there is one. */
function shares(
  cents: number,
  claims: readonly Claim[],
  mayBeMore: (share: Claim) => boolean = () => true,
): Claim[] {
  const all = claims.reduce((sum, claim) => sum + claim.cents, 0)
  if (cents === 0 || all === 0) return []
  const floors = claims.map((claim) => ({ ...claim, cents: Math.floor((cents * claim.cents) / all) }))
  const rest = cents - floors.reduce((sum, floor) => sum + floor.cents, 0)
  const order = [...floors.filter(mayBeMore), ...floors.filter((floor) => !mayBeMore(floor))]
  const more = new Set(order.slice(0, rest))
  return floors.map((floor) => (more.has(floor) ? { ...floor, cents: floor.cents + 1 } : floor))
}
