import type { PaymentIntentRow, SetupIntentRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import type { World } from '../world.ts'
import { escaped, htmlPage } from './html.ts'

type Intent = PaymentIntentRow | SetupIntentRow

/** A payment or setup intent by its id. */
export function intentOf(world: World, id: string): Intent | undefined {
  return world.paymentIntents.get(id) ?? world.setupIntents.get(id)
}

/** The bank's question to the holder of the card: a 3-D Secure challenge that can be passed or failed. */
export function challengePage(intent: Intent | undefined, error?: string): string {
  if (intent === undefined) return htmlPage('No such page', '')
  if (intent.status !== 'requires_action') {
    return htmlPage('Nothing to confirm', `<p>${escaped(intent.id)} is ${escaped(intent.status)}.</p>`, error)
  }
  const asks =
    intent.object === 'payment_intent'
      ? `Do you pay ${formatMoney(String(intent.amount), intent.currency)}?`
      : 'May this card be used?'
  return htmlPage(
    'Your bank asks',
    `<p>${escaped(asks)}</p><form method="post" action="/_simulator/intents/${intent.id}/challenge">
<button name="outcome" value="succeed">Complete</button> <button name="outcome" value="fail">Fail</button></form>`,
    error,
  )
}

/**
 * Where a challenge's page goes afterwards: the `return_url` with the intent's id, its secret and whether it
 * went well. https://docs.stripe.com/payments/3d-secure/authentication-flow
 */
export function returnAddress(before: Intent, after: Intent, refused: boolean): string | null {
  const url = before.next_action?.redirect_to_url?.return_url
  if (url == null) return null
  const address = new URL(url)
  const name = after.object
  address.searchParams.set(name, after.id)
  address.searchParams.set(`${name}_client_secret`, after.client_secret ?? '')
  address.searchParams.set('redirect_status', refused ? 'failed' : 'succeeded')
  return address.href
}
