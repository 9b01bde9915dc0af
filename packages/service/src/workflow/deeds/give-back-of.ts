import { downToStep } from '@lockstep/core/charge-step'
import { type Money, money, subtract, zero } from '@lockstep/core/money'
import { leftToCredit, leftToGiveBack, mostRefundable } from '@lockstep/core/money-back'
import { Problem } from '@lockstep/core/problem'
import { newId } from '../../ids.ts'
import { passes } from '../../passing.ts'
import { transaction } from '../../postgres/transaction.ts'
import type { IntendedCreditNote } from '../../provider/stripe/credit-notes.ts'
import { keptForTime } from '../../provider/stripe/paid-time.ts'
import { readSettlement } from '../../provider/stripe/settlement.ts'
import { intendCreditNote, readCreditNote, refuseCreditNote } from '../../store/credit-notes.ts'
import { type InvoiceRow, invoicesOfProvider } from '../../store/invoices.ts'
import { readSubscription } from '../../store/subscriptions.ts'
import { beginMoneyBack } from '../begin-money-back.ts'
import { lookAtChanged, tellCreditNote, wayOf } from '../credit-note.ts'
import type { Run, Step } from '../journal.ts'
import { type LookDeps, lookAt } from '../look.ts'
import type { DeedRun } from './deed.ts'

/** Of one invoice at the provider, what is to be given back; in minor units, as text. */
export interface PartInSteps {
  readonly invoice: string
  readonly amount: string
  /** What later documents had credited of its time when that was reckoned. */
  readonly creditedSince: string
}

/** Why nothing was given back. */
export interface Refusal {
  readonly code: string
  readonly detail: string
}

interface Wanted {
  readonly how: 'credit' | 'refund'
  readonly currency: string
  readonly part: PartInSteps
  /** What tells the names of the next pair of steps from those before. */
  readonly next: () => string
}

interface Outcome {
  readonly given: bigint
  readonly problem: Refusal | null
}

type Deed = Pick<DeedRun<unknown>, 'deedId' | 'workflowId' | 'subscriptionId'>

const MEMO = 'Unused time'
/** Somebody gives back of the same invoice between our look and the call: each time. */
const MOST_TRIES = 3

/**
 * Gives back a part by a credit note on its invoice, or as much as is left of it. The note is recorded under the invoice's lock like
 * every other way to give back, so that whoever refunds at the same time and this together give back no more than was paid.
 */
export async function giveBackOf(
  deps: LookDeps,
  step: Step,
  deed: Deed,
  { how, currency, part, next }: Wanted,
): Promise<Outcome> {
  const paidPart = how === 'refund' ? 'refund' : 'balance'
  let refused: { readonly amount: Money; readonly problem: Refusal } | null = null
  for (let tries = 1; ; tries += 1) {
    const name = next()
    const below: Money | null = refused?.amount ?? null
    const intended: Intended | Refusal = await step(`intend to give back${name}`, (_, { record }) =>
      orRefused(() => intend(deps, deed, { how, currency, part, isFirst: name === '', below, record })),
    )
    if ('code' in intended) return { given: 0n, problem: intended }
    const amount = money(BigInt(intended.amount ?? part.amount), currency)
    if (amount.minor === 0n)
      return { given: 0n, problem: intended.isAsMuch === true ? (refused?.problem ?? null) : null }
    const problem: Refusal | null = await step(`give back unused time${name}`, async (key) => {
      const { id, customerId, invoiceId } = intended
      const terms = { providerInvoice: part.invoice, total: amount, postPayment: amount, paidPart } as const
      const wanted: IntendedCreditNote = {
        ...{ id, customerId, invoiceId },
        ...{ ...terms, reason: null, memo: MEMO },
      }
      const made = await orRefused(() => tellCreditNote(deps, key, wanted))
      if (!('code' in made)) {
        await lookAtChanged(deps, part.invoice, made)
        return null
      }
      await transaction(deps.db, (trx) => refuseCreditNote(trx, id))
      return made
    })
    if (problem === null) return { given: amount.minor, problem }
    if (tries === MOST_TRIES) return { given: 0n, problem }
    // Less may be left by now; the same again would be refused again.
    refused = { amount, problem }
  }
}

interface Intended {
  readonly id: string
  readonly customerId: string
  readonly invoiceId: string
  /** Zero where nothing is left. One that was recorded before it could be less than what was reckoned has none. */
  readonly amount?: string
  /** Nothing is recorded, because as much is left as was refused. */
  readonly isAsMuch?: boolean
}

async function intend(
  deps: LookDeps,
  { deedId, workflowId, subscriptionId }: Deed,
  {
    how,
    currency,
    part,
    isFirst,
    below,
    record,
  }: Pick<Wanted, 'how' | 'currency' | 'part'> & {
    readonly isFirst: boolean
    /** What was refused, if anything was: not tried again. */
    readonly below: Money | null
    readonly record: Run['record']
  },
): Promise<Intended> {
  const { id: invoiceId, customerId } = await ourInvoice(deps, part.invoice)
  const id = isFirst ? deedId.replace(/^deed/, 'credit_note') : newId('credit_note')
  const names = { id, customerId, invoiceId }
  const before = await readCreditNote(deps.db, id)
  if (before) return { ...names, amount: `${before.total}` }
  const paidPart = how === 'refund' ? 'refund' : 'balance'
  return beginMoneyBack(
    deps,
    invoiceId,
    async () => {
      const left = await leftOf(deps, subscriptionId, { how, currency, part })
      if (below === null || left.minor < below.minor) return { ...names, amount: `${left.minor}` }
      return { ...names, amount: '0', isAsMuch: true }
    },
    async (trx, intended) => {
      const amount = money(BigInt(intended.amount), currency)
      if (amount.minor > 0n)
        await intendCreditNote(trx, {
          ...{ ...names, workflowId, currency, total: amount.minor, prePayment: 0n },
          ...{ ...wayOf(amount, paidPart), reason: null, at: deps.clock.now() },
        })
      await record(trx, intended)
    },
  )
}

/**
 * Of what was reckoned, what is left: before the end came, a change in the dashboard may have credited some of it, and
 * somebody may have given some back. Never more than can be given back of the invoice, nor than was paid for the time and is still here.
 */
async function leftOf(
  deps: LookDeps,
  subscriptionId: string,
  { how, currency, part }: Pick<Wanted, 'how' | 'currency' | 'part'>,
): Promise<Money> {
  const settlement = await readSettlement(deps, part.invoice)
  const ended = await readSubscription(deps.db, subscriptionId)
  if (!ended?.providerId || !ended.endedAt) throw new Error(`${subscriptionId} is not seen to have ended.`)
  const kept = await keptForTime(deps, ended.providerId, { at: ended.endedAt, currency })
  const since = subtract(settlement.timeCreditedSince, money(BigInt(part.creditedSince), currency))
  const reckoned = money(BigInt(part.amount), currency)
  const all = [
    since.minor > 0n ? subtract(reckoned, since) : reckoned,
    ...[leftToCredit(settlement), kept],
    how === 'credit' ? leftToGiveBack(settlement) : mostRefundable(settlement),
  ]
  const least = all.reduce((a, b) => (b.minor < a.minor ? b : a))
  return least.minor > 0n ? downToStep(least, settlement.step) : zero(currency)
}

async function ourInvoice(deps: LookDeps, providerInvoice: string): Promise<InvoiceRow> {
  const find = async () => (await invoicesOfProvider(deps.db, [providerInvoice]))[0]
  const known = await find()
  if (known) return known
  await lookAt(deps, { type: 'invoice', id: providerInvoice })
  const seen = await find()
  if (seen) return seen
  throw new Problem('invoice_not_found', `Invoice ${providerInvoice} of the provider is none of ours.`)
}

/** What is refused for good is an answer; whatever passes is thrown on and tried again. */
async function orRefused<T>(work: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500 || passes(error)) throw error
    return { code: error.code, detail: error.detail }
  }
}
