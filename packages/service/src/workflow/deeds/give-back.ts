import { formatMoney, type Money, money } from '@lockstep/core/money'
import { creditSplit, refuseToGiveBackMore } from '@lockstep/core/money-back'
import { Problem } from '@lockstep/core/problem'
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
import type { Step } from '../journal.ts'
import { type LookDeps, lookAt } from '../look.ts'
import type { DeedRun } from './deed.ts'

/** What is left of a period, and the invoice at the provider that it was paid with; in minor units, as text. */
export interface Unused {
  readonly invoice: string
  readonly amount: string
  readonly currency: string
}

/** Why nothing was given back. */
export interface Refusal {
  readonly code: string
  readonly detail: string
}

const MEMO = 'Unused time'

/**
 * Gives unused time back by a credit note on the invoice that it was paid with: to the customer's balance,
 * or to the card. It is recorded under the invoice's lock like every other way to give back, so that whoever
 * refunds at the same time and this together give back no more than was paid. Null: it was done.
 */
export async function giveBack(
  deps: LookDeps,
  step: Step,
  { deedId, workflowId, subscriptionId }: Pick<DeedRun<unknown>, 'deedId' | 'workflowId' | 'subscriptionId'>,
  { how, unused }: { readonly how: 'credit' | 'refund'; readonly unused: Unused },
): Promise<Refusal | null> {
  const amount = money(BigInt(unused.amount), unused.currency)
  const paidPart = how === 'refund' ? 'refund' : 'balance'
  const intended = await step('intend to give back', () =>
    orRefused(async () => {
      const { id: invoiceId, customerId } = await ourInvoice(deps, unused.invoice)
      const names = { id: deedId.replace(/^deed/, 'credit_note'), customerId, invoiceId }
      if (!(await readCreditNote(deps.db, names.id)))
        await beginMoneyBack(
          deps,
          invoiceId,
          () => refuseMore(deps, subscriptionId, { unused, amount, how }),
          (trx) =>
            intendCreditNote(trx, {
              ...{ ...names, workflowId, currency: amount.currency, total: amount.minor, prePayment: 0n },
              ...{ ...wayOf(amount, paidPart), reason: null, at: deps.clock.now() },
            }),
        )
      return names
    }),
  )
  if ('code' in intended) return intended
  return step('give back unused time', async (key) => {
    const terms = { providerInvoice: unused.invoice, total: amount, postPayment: amount, paidPart } as const
    const wanted: IntendedCreditNote = { ...intended, ...terms, reason: null, memo: MEMO }
    const made = await orRefused(() => tellCreditNote(deps, key, wanted))
    if (!('code' in made)) {
      await lookAtChanged(deps, unused.invoice, made)
      return null
    }
    await transaction(deps.db, (trx) => refuseCreditNote(trx, intended.id))
    return made
  })
}

interface Back {
  readonly unused: Unused
  readonly amount: Money
  readonly how: 'credit' | 'refund'
}

/**
 * No more than was paid on the invoice, and than was paid for the time and is still here: before the end came, a change in
 * the dashboard may have credited some of it.
 */
async function refuseMore(deps: LookDeps, subscriptionId: string, { unused, amount, how }: Back) {
  const settlement = await readSettlement(deps, unused.invoice)
  const { postPayment } = creditSplit(settlement, amount)
  refuseToGiveBackMore(settlement, postPayment, how === 'refund')
  const ended = await readSubscription(deps.db, subscriptionId)
  const { currency, providerId, endedAt } = ended ?? {}
  if (!currency || !providerId || !endedAt) throw new Error(`${subscriptionId} is not seen to have ended.`)
  const kept = await keptForTime(deps, providerId, { at: endedAt, currency })
  if (amount.minor <= kept.minor) return
  const detail = `${formatMoney(amount)} ${currency} would be given back for time of ${subscriptionId}, and ${formatMoney(kept)} ${currency} was paid for it and not given back since.`
  throw new Problem('refund_exceeds_payment', detail)
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
