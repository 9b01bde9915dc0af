import { money } from '@lockstep/core/money'
import { Problem } from '@lockstep/core/problem'
import { parseQuantity } from '@lockstep/core/quantity'
import type Stripe from 'stripe'
import { fromStripeAmount, isWritable } from '../../provider/stripe/amount.ts'
import { callStripe, MadeAndGone } from '../../provider/stripe/call.ts'
import { pricing, repricing, wording } from '../../provider/stripe/item-params.ts'
import { isOf, ownMetadata } from '../../provider/stripe/metadata.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import { lineName } from '../../provider/stripe/to-invoice-item.ts'
import {
  adoptItem,
  forgetItem,
  type Intention,
  type ItemRow,
  intendItem,
  itemOperation,
  settleItem,
} from '../../store/invoice-items.ts'
import { settleSeen, unsettledOf } from '../../store/operations.ts'
import type { LookDeps } from '../look.ts'
import type { Standing } from './at-stripe.ts'
import type { Picture, Wanted } from './picture.ts'

/** A line is not as the picture has it: another sync changed it, or somebody took away what was made. Take a new one. */
export class Overtaken extends Error {}

/** Whose items these are: what their calls have to name. */
export type Payer = Pick<Picture, 'provider'> & { readonly subscription: { readonly id: string } }

/** Puts a line's item where it belongs. */
export async function createItem(deps: LookDeps, picture: Picture, wanted: Wanted): Promise<void> {
  const draft = typeof wanted.destination === 'object' ? wanted.destination.draft : null
  await makeCall(deps, picture, {
    ...intentionOf(picture, wanted),
    providerItemId: null,
    providerInvoiceId: draft,
  })
}

/** Makes an item that stands say what it has to say, wherever it stands. */
export async function updateItem(
  deps: LookDeps,
  picture: Picture,
  existing: Standing,
  wanted: Wanted,
): Promise<void> {
  const known = await remember(deps, picture, existing, wanted)
  await makeCall(deps, picture, {
    ...intentionOf(picture, wanted),
    seenVersion: known.version,
    providerItemId: existing.providerId,
    providerInvoiceId: existing.invoice,
  })
}

/** Takes back what was never charged and is not wanted. */
export async function removeItem(deps: LookDeps, picture: Picture, existing: Standing): Promise<void> {
  await takeBack(deps, picture.subscription.id, existing.providerId)
  const row = picture.items.find(({ providerItemId }) => providerItemId === existing.providerId)
  if (row) await forgetItem(deps.db, row)
}

const REMOVAL = 'removeInvoiceItem'

/** Makes the removals again of which it is not known whether they were done. */
export async function settleRemovals(deps: LookDeps, subscriptionId: string): Promise<void> {
  for (const id of await unsettledOf(deps.db, REMOVAL, subscriptionId)) {
    await takeBack(deps, subscriptionId, id.replace(/^remove\//, ''))
  }
}

async function takeBack(deps: LookDeps, subjectId: string, itemId: string): Promise<void> {
  const call = { id: `remove/${itemId}`, kind: REMOVAL, subjectId, body: {}, repeatable: true }
  try {
    await callStripe(deps, call, (stripe, options) => stripe.invoiceItems.del(itemId, {}, options))
  } catch (error) {
    // Gone is gone, whoever took it.
    if (!(error instanceof Problem && isMissing(error.cause))) throw error
  }
}

/**
 * What stands at Stripe becomes what we remember, where that differs: an item whose answer was lost,
 * or one that Stripe has moved onto an invoice. Nothing is called.
 */
export async function remember(
  deps: LookDeps,
  picture: Picture,
  existing: Standing,
  wanted: Wanted,
): Promise<ItemRow> {
  const row = rowOf(picture, wanted)
  const isKnown =
    row?.state === 'placed' &&
    row.providerItemId === existing.providerId &&
    row.providerInvoiceId === existing.invoice
  if (isKnown) return row
  const adopted = await adoptItem(deps.db, {
    customerId: picture.subscription.customerId,
    originInvoiceId: wanted.origin.id,
    lineKey: wanted.lineKey,
    revision: wanted.revision,
    amount: fromStripeAmount(Number(existing.item.amount), existing.item.currency).minor,
    quantity: existing.item.quantity === null ? null : (parseQuantity(existing.item.quantity) ?? null),
    content: existing.item,
    derivation: existing.content === wanted.content ? wanted.derivation : (row?.derivation ?? null),
    providerItemId: existing.providerId,
    providerInvoiceId: existing.invoice,
    madeAt: existing.object.date,
  })
  if (!adopted) throw new Overtaken()
  // Its call was under way, or its answer was lost: what stands at Stripe is what counts now.
  if (row?.state === 'intended') {
    await settleSeen(deps.db, itemOperation(row), existing.providerId, deps.clock.now())
  }
  return adopted
}

/**
 * Makes, or makes again, the call that a row says was intended. The row holds everything it sends, so
 * that after a crash exactly the same call is repeated, and Stripe sees one.
 */
export async function performCall(deps: LookDeps, payer: Payer, row: ItemRow): Promise<void> {
  const { db, provider } = deps
  const call = {
    id: itemOperation(row),
    kind: row.providerItemId === null ? 'createInvoiceItem' : 'updateInvoiceItem',
    subjectId: row.originInvoiceId,
  }
  try {
    const item = row.providerItemId === null ? await create() : await update(row.providerItemId)
    const settled = await settleItem(db, row, {
      state: 'placed',
      providerItemId: item.id,
      providerInvoiceId: row.providerInvoiceId,
      madeAt: item.date,
    })
    // Another sync went on from this row while our call was under way: it may have come after theirs.
    if (!settled) throw new Overtaken()
  } catch (error) {
    if (error instanceof MadeAndGone) {
      // A process died before it wrote down what it had made, and somebody took that away: what is wanted now is made
      // anew, by a call of its own.
      await settleItem(db, row, { state: 'removed', providerItemId: null, providerInvoiceId: null })
      throw new Overtaken()
    }
    if (isRefusal(error)) {
      // Refused is not done: what was to be made is not there, what was to be changed is as it was.
      await settleItem(db, row, {
        state: row.providerItemId === null ? 'removed' : 'placed',
        providerItemId: row.providerItemId,
        providerInvoiceId: row.providerItemId === null ? null : row.providerInvoiceId,
      })
    }
    throw error
  }

  function create() {
    const body: Stripe.InvoiceItemCreateParams = {
      customer: payer.provider.customer,
      ...(row.providerInvoiceId === null
        ? { subscription: payer.provider.subscription }
        : { invoice: row.providerInvoiceId }),
      ...pricing(row.content),
      ...wording(row.content),
      metadata: ownMetadata(provider, call.id, {
        lockstep_customer: row.customerId,
        lockstep_subscription: payer.subscription.id,
        lockstep_line: lineName(row),
        lockstep_revision: String(row.revision),
        ...quantityOf(row),
        ...(row.content.discounted ? discountedOf(row) : {}),
      }),
    }
    return callStripe(
      deps,
      { ...call, body, removable: true },
      (stripe, options) => stripe.invoiceItems.create(body, options),
      (stripe) => findMade(stripe, call.id),
    )
  }

  function update(id: string) {
    const body: Stripe.InvoiceItemUpdateParams = {
      ...repricing(row.content),
      ...wording(row.content),
      metadata: { ...quantityOf(row), ...discountedOf(row) },
    }
    return callStripe(deps, { ...call, body, repeatable: true }, (stripe, options) =>
      stripe.invoiceItems.update(id, body, options),
    )
  }

  /** Through the customer's list, because a search may not know it yet. */
  async function findMade(stripe: Stripe, operation: string) {
    const { customer } = payer.provider
    for await (const item of stripe.invoiceItems.list({ customer, limit: 100 })) {
      if (isOf(provider, operation, item)) return item
    }
    return undefined
  }
}

/** Stripe said no to the request itself: nothing was done. */
export function isRefusal(error: unknown): error is Problem {
  return error instanceof Problem && error.status < 500 && error.code !== 'rate_limited'
}

async function makeCall(deps: LookDeps, picture: Picture, intention: Intention): Promise<void> {
  const amount = money(intention.amount, intention.content.currency)
  if (!isWritable(amount)) {
    throw new Problem('provider_refused', 'The payment provider takes no amount of so many digits.')
  }
  const row = await intendItem(deps.db, intention)
  if (!row) throw new Overtaken()
  await performCall(deps, picture, row)
}

function intentionOf(picture: Picture, wanted: Wanted) {
  const { origin, lineKey, revision, amount, quantity, item, derivation } = wanted
  return {
    customerId: picture.subscription.customerId,
    originInvoiceId: origin.id,
    lineKey,
    revision,
    amount: amount.minor,
    quantity,
    content: item,
    derivation,
    seenVersion: rowOf(picture, wanted)?.version ?? null,
  }
}

function rowOf({ items }: Picture, { origin, lineKey, revision }: Wanted): ItemRow | undefined {
  return items.find(
    (row) => row.originInvoiceId === origin.id && row.lineKey === lineKey && row.revision === revision,
  )
}

const quantityOf = ({ content: { quantity } }: ItemRow): Record<string, string> =>
  quantity === null ? {} : { lockstep_quantity: quantity }

/** The empty text takes it off what gives back no more. */
const discountedOf = ({ content: { discounted } }: ItemRow): Record<string, string> =>
  discounted === undefined ? {} : { lockstep_discounted: discounted ?? '' }
