import { printedDecimal } from './printed-amount.ts'

/** Exact decimal text: `0.1572554466`. Money and rates are in major units, quantities in the meter's units. */
type Decimal = string

/** Another line that a step rests on. */
export interface LinePart {
  readonly key: string
  /** Of a group's line, in place of its key, which nobody can read: `vcpu, eu`. */
  readonly words?: string
  readonly amount: Decimal
}

/** One step from a quantity to an amount, with everything needed to check it by hand. */
export type Step =
  | {
      /** Units that cost nothing: the steps after it price only what is `billable`. */
      readonly kind: 'included'
      readonly quantity: Decimal
      readonly included: Decimal
      readonly billable: Decimal
      /** Nothing. */
      readonly amount: Decimal
    }
  | {
      /** What goes beyond the most that a price costs in a period: `amount` is below zero. */
      readonly kind: 'maximum'
      readonly before: Decimal
      readonly maximum: Decimal
      readonly amount: Decimal
    }
  | { readonly kind: 'flat'; readonly quantity: Decimal; readonly amount: Decimal }
  | { readonly kind: 'perUnit'; readonly quantity: Decimal; readonly rate: Decimal; readonly amount: Decimal }
  | {
      readonly kind: 'package'
      readonly quantity: Decimal
      readonly size: Decimal
      readonly round: 'up' | 'down'
      readonly packages: Decimal
      readonly amountPerPackage: Decimal
      readonly amount: Decimal
    }
  | {
      readonly kind: 'tier'
      /** Counted from 1. */
      readonly tier: number
      /** Units below this tier; its own begin right after. */
      readonly from: Decimal
      /** The tier's inclusive end; null when it has none. */
      readonly to: Decimal | null
      /** Units priced in this tier: its own (graduated) or all (volume). */
      readonly quantity: Decimal
      readonly rate: Decimal
      readonly flat: Decimal
      readonly amount: Decimal
    }
  | {
      /** What waits for the next invoice: `amount` takes it off this one. */
      readonly kind: 'carried'
      /** The lines that wait, by their key. */
      readonly of: readonly LinePart[]
      /** From which amount on an invoice is collected. */
      readonly from: Decimal
      readonly amount: Decimal
    }
  | {
      /** What a period's usage is short of the least that it costs. */
      readonly kind: 'minimum'
      /** Of a whole period. */
      readonly minimum: Decimal
      /** How much of a whole period it is. */
      readonly seconds: Decimal
      readonly wholeSeconds: Decimal
      /** The least for this period, rounded down; only where the plan's maximum is less, and so is what is `due`. */
      readonly part?: Decimal
      readonly due: Decimal
      /** The usage lines, by their key. */
      readonly of: readonly LinePart[]
      readonly used: Decimal
      readonly amount: Decimal
    }
  | {
      readonly kind: 'share'
      /** The lines it is a share of, by their price's key; the recurring fee without one. */
      readonly of: readonly (Omit<LinePart, 'key'> & { readonly key: string | null })[]
      readonly base: Decimal
      readonly percent: Decimal
      readonly amount: Decimal
    }
  | {
      /** What somebody added to the invoice: nothing was computed. */
      readonly kind: 'adjustment'
      readonly adjustment: string
      readonly as: 'credit' | 'charge' | 'note'
      /** RFC 3339. */
      readonly madeAt: string
      /** Taken back since. */
      readonly withdrawn: boolean
      readonly amount: Decimal
    }

/** How a line's amount came about, from the events to the rounding. Plain JSON; every number is exact text. */
export interface Derivation {
  /** Null for an adjustment, which comes of no price. */
  readonly price: {
    readonly key: string
    readonly name: string
    readonly model: string
    /** Of a price of the subscription's own: the id of the override. */
    readonly override?: string
  } | null
  readonly currency: string
  /** Half-open; RFC 3339. */
  readonly period: { readonly start: string; readonly end: string }
  /** Null where nothing is measured: recurring fees and shares. */
  readonly measured: {
    readonly meter: string
    readonly unitLabel: string
    readonly aggregation: string
    readonly events: Decimal
    readonly quantity: Decimal
    /** Of a line that is one group's: the value of each dimension, null where the events have none. */
    readonly group?: Readonly<Record<string, string | null>>
    /** Of a line of several groups, each measured and priced by itself: how many they are. */
    readonly groups?: Decimal
  } | null
  readonly steps: readonly Step[]
  /** Sum of the steps, before rounding. */
  readonly exact: Decimal
  /** Half away from zero, once for the line. */
  readonly rounded: Decimal
  /** Why nothing is charged although `rounded` says otherwise. */
  readonly free: 'trial' | null
  /** Of a line that was cut down to what the plan's maximum leaves: the lines before it came to `before`. */
  readonly cut?: { readonly name: string; readonly maximum: Decimal; readonly before: Decimal }
  /** Of a line that the provider charges in steps larger than a coin: the nearest step, half away from zero. */
  readonly charged?: { readonly step: Decimal; readonly before: Decimal; readonly after: Decimal }
  /** What the line costs: `rounded`, less of it where it is free or cut, in whole steps of what is charged. */
  readonly amount: Decimal
  /**
   * Other lines of its period that meet what is left of it: below zero what they give back, which this line then does not
   * charge; above zero what they charge, which this line then does not give back.
   */
  readonly setOff?: readonly LinePart[]
  /** Of a line that takes back some of what was billed of it with discounts: what comes back. */
  readonly givenBack?: {
    /** Of the line, before discounts: what is left of it to bill is as much below zero. */
    readonly takenBack: Decimal
    /** For the line so far, less its discounts. */
    readonly paid: Decimal
    /** What stays of each part that was billed, the oldest first; without those of which nothing does. */
    readonly stays: readonly {
      readonly billed: Decimal
      /** What discounts took off it. */
      readonly discounted: Decimal
      readonly left: Decimal
      /** Of `discounted`, what goes with what is left: half away from zero. */
      readonly off: Decimal
    }[]
    /** What is paid for what stays. */
    readonly worth: Decimal
    /** `paid` − `worth`. */
    readonly exact: Decimal
    /** Of that what can be given back, in whole steps: at least nothing, at most what is taken back. */
    readonly amount: Decimal
  }
}

/** A derivation as lines of text that a bookkeeper can check with pencil and paper. */
export function explain(derivation: Derivation): string[] {
  return [...explainWhole(derivation), ...explainGivenBack(derivation)]
}

/** What the line costs, whatever was billed of it. */
export function explainWhole(derivation: Derivation): string[] {
  const { price, currency, period, measured, steps, exact, rounded, free, charged, cut, amount } = derivation
  const ofPeriod = `${period.start} … ${period.end}`
  if (price === null) return [`adjustment, ${ofPeriod}`, ...steps.flatMap(explainStep)]
  const lines = [`${price.key}: ${price.name}, ${ofPeriod}`]
  if (price.override) lines.push(`${price.key}: a price of this subscription's own (${price.override})`)
  if (measured) {
    const { quantity, unitLabel, aggregation, events } = measured
    const noun = events === '1' ? 'event' : 'events'
    const what = `${aggregation} of ${printedDecimal(events)} ${noun}${groupsInWords(measured)}`
    lines.push(`${price.key}: ${printedDecimal(quantity)} ${unitLabel} measured (${what})`)
  }
  lines.push(...steps.flatMap(explainStep))
  if (steps.filter(({ kind }) => kind !== 'included').length > 1) lines.push(`sum: ${printedDecimal(exact)}`)
  lines.push(
    `rounded once, half away from zero: ${printedDecimal(exact)} → ${printedDecimal(rounded)} ${currency}`,
  )
  if (charged) {
    const nearest = `${printedDecimal(charged.before)} → ${printedDecimal(charged.after)} ${currency}`
    lines.push(`charged in steps of ${printedDecimal(charged.step)}: ${nearest}`)
  }
  if (cut) {
    const left = `${printedDecimal(cut.maximum)} − ${printedDecimal(cut.before)} of the lines before`
    lines.push(`${cut.name}, at most ${left} = ${printedDecimal(amount)} ${currency}`)
  }
  if (free) lines.push(`free during the ${free}: ${printedDecimal(amount)} ${currency}`)
  for (const { key, words, amount: met } of derivation.setOff ?? []) {
    lines.push(`set off against ${words ?? key}: ${printedDecimal(met)} ${currency}`)
  }
  return lines
}

/** What comes back of what was billed of it. */
export function explainGivenBack({ givenBack, currency }: Derivation): string[] {
  if (!givenBack) return []
  const n = printedDecimal
  const { takenBack, paid, stays, worth, exact, amount } = givenBack
  const given = exact === amount ? '' : `, of which ${n(amount)} can be given back`
  return [
    `taken back: ${n(takenBack)} ${currency}, what was billed last first`,
    ...stays.map(({ billed, discounted, left, off }) =>
      discounted === off && billed === left
        ? `stays: ${n(left)}, of which discounts took ${n(off)}`
        : `stays: ${n(left)} of ${n(billed)}, and ${n(off)} of the ${n(discounted)} that discounts took of it`,
    ),
    `given back: ${n(paid)} paid − ${n(worth)} for what stays = ${n(exact)} ${currency}${given}`,
  ]
}

function groupsInWords({ group, groups }: NonNullable<Derivation['measured']>): string {
  if (groups !== undefined) {
    return `, ${printedDecimal(groups)} ${groups === '1' ? 'group' : 'groups'}, each measured and priced by itself`
  }
  const values = Object.entries(group ?? {})
  return values.map(([name, value]) => (value === null ? `, no ${name}` : `, ${name} ${value}`)).join('')
}

function explainStep(step: Step): string[] {
  const n = printedDecimal
  switch (step.kind) {
    case 'included':
      return [
        `included: the first ${n(step.included)}; of ${n(step.quantity)} there are ${n(step.billable)} to pay for`,
      ]
    case 'maximum':
      return [
        `at most ${n(step.maximum)} a period: ${n(step.before)} + ${n(step.amount)} = ${n(step.maximum)}`,
      ]
    case 'flat':
      return [`flat: ${n(step.amount)}`]
    case 'perUnit':
      return [`per unit: ${n(step.quantity)} × ${n(step.rate)} = ${n(step.amount)}`]
    case 'package':
      return [
        `packages: ${n(step.quantity)} ÷ ${n(step.size)}, rounded ${step.round} = ${n(step.packages)}`,
        `packages: ${n(step.packages)} × ${n(step.amountPerPackage)} = ${n(step.amount)}`,
      ]
    case 'tier': {
      const range = step.to === null ? `over ${n(step.from)}` : `${n(step.from)} … ${n(step.to)}`
      const flat = step.flat === '0' ? '' : ` + ${n(step.flat)} flat`
      return [
        `tier ${step.tier} (${range}): ${n(step.quantity)} × ${n(step.rate)}${flat} = ${n(step.amount)}`,
      ]
    }
    case 'carried': {
      const lines = step.of.map(({ key, words, amount }) => `${words ?? key} ${n(amount)}`).join(' + ')
      return [`waiting: ${lines}`, `collected from ${n(step.from)} on: ${n(step.amount)} until then`]
    }
    case 'minimum': {
      const whole = step.seconds === step.wholeSeconds
      const least = step.part ?? step.due
      const part = `${n(step.minimum)} × ${n(step.seconds)} s ÷ ${n(step.wholeSeconds)} s, rounded down = ${n(least)}`
      const most = step.part === undefined ? '' : `, and at most ${n(step.due)}`
      const used = step.of.map(({ key, words, amount }) => `${words ?? key} ${n(amount)}`).join(' + ')
      return [
        `at least: ${whole ? n(least) : part}${most}`,
        `used: ${used === '' ? n(step.used) : `${used} = ${n(step.used)}`}`,
        `missing: ${n(step.amount)}`,
      ]
    }
    case 'share': {
      const parts = step.of.map(({ key, words, amount }) => `${words ?? key ?? 'recurring fee'} ${n(amount)}`)
      return [
        `of: ${parts.join(' + ')} = ${n(step.base)}`,
        `share: ${n(step.percent)} % × ${n(step.base)} = ${n(step.amount)}`,
      ]
    }
    case 'adjustment':
      return [
        step.withdrawn
          ? `${step.as} made ${step.madeAt}, and taken back since`
          : `${step.as} made ${step.madeAt}: ${n(step.amount)}`,
      ]
  }
}
