import type { Client, NewRegistration, Registration } from '@lockstep/sdk'
import type { Command } from 'commander'
import { registrationText } from '../output/registration-text.ts'
import { collect, collectAddon, collectEntry, parseCount, type WantedAddon } from './arguments.ts'
import { findClock } from './clock.ts'

export interface StartFlags {
  readonly plan?: string
  readonly quantity?: number
  readonly addon?: WantedAddon[]
  readonly trialAgain?: boolean
  readonly paymentMethod?: string
  readonly paymentPage?: string
}

/** Where the customer is, for the tax: the options of an address, as the API calls its fields. */
interface AddressFlags {
  readonly country?: string
  readonly state?: string
  readonly city?: string
  readonly postalCode?: string
  readonly line1?: string
  readonly line2?: string
}

export interface RegistrationFlags extends StartFlags, AddressFlags {
  readonly coupon?: string[]
  readonly email?: string
  readonly name?: string
  readonly clock?: string
  readonly slot?: string
  readonly purchase?: string
  readonly origin?: string
  readonly currency?: string
  readonly terms?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** What may be said of whatever begins. */
export function withStartOptions(command: Command, { plan }: { readonly plan: string }): Command {
  return command
    .option('--plan <key>', `a plan of the catalogue; ${plan} unless given`)
    .option('--quantity <n>', 'of the recurring prices: seats, for example', parseCount)
    .option('--addon <key[=n]>', 'an add-on beside the plan; may be given several times', collectAddon)
    .option('--trial-again', "the plan's trial, also for who has had one of its product")
    .option('--payment-method <id>', "a payment method's id at the provider, such as pm_card_visa")
    .option('--payment-page <url>', 'let the customer leave one on a page, and come back to this address')
}

export function withRegistrationOptions(command: Command): Command {
  return withStartOptions(command, { plan: 'the one for signing up' })
    .argument('<external-id>', "your own id of the user, such as 'user_4711'")
    .option('--coupon <key>', 'a coupon of the catalogue; may be given several times', collect)
    .option('--email <address>')
    .option('--name <name>')
    .option('--clock <clock>', 'put the customer on this test clock, by its id or name')
    .option('--slot <key>', 'which of the customer’s subscriptions it is')
    .option('--purchase <type>', "how it is bought, for a second look: the plan's own unless given")
    .option('--currency <code>', "for a second look: must be the plan's")
    .option('--origin <text>', 'where the request came from', 'cli')
    .option('--terms <version>', "of the text that was accepted: the seller's own unless given")
    .option('--metadata <name=value>', 'a fact of your own; may be given several times', collectEntry)
    .option('--country <code>', 'where the customer is, for the tax: two capital letters')
    .option('--state <text>', 'a state, province or region')
    .option('--city <text>')
    .option('--postal-code <text>')
    .option('--line1 <text>', 'street and number')
    .option('--line2 <text>')
}

export function startOf({ plan, quantity, addon, trialAgain, paymentMethod, paymentPage }: StartFlags) {
  return {
    ...(plan !== undefined && { plan }),
    ...(quantity !== undefined && { quantity }),
    ...(addon && { addons: addon }),
    ...(trialAgain && { trial: 'again' as const }),
    ...(paymentMethod !== undefined && { paymentMethod }),
    ...(paymentPage !== undefined && { paymentPage: { returnUrl: paymentPage } }),
  }
}

export async function registrationOf(
  client: Client,
  externalId: string,
  flags: RegistrationFlags,
): Promise<NewRegistration> {
  const { coupon, email, name, clock, slot, purchase, origin, currency, terms, metadata } = flags
  const address = addressOf(flags)
  const testClock = clock === undefined ? undefined : (await findClock(client, clock)).id
  return {
    externalId,
    ...startOf(flags),
    ...(coupon && { coupons: coupon }),
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    ...(testClock !== undefined && { testClock }),
    ...(slot !== undefined && { slot }),
    ...(purchase !== undefined && { purchase }),
    ...(currency !== undefined && { currency }),
    ...(origin && { requestOrigin: origin }),
    ...(terms !== undefined && { acceptance: { termsVersion: terms } }),
    ...(metadata && { metadata }),
    ...(address && { address }),
  }
}

/** A country that is missing is told by the service, with everything else that is wrong. */
function addressOf({ country = '', state, city, postalCode, line1, line2 }: AddressFlags) {
  const address = { country, state, city, postalCode, line1, line2 }
  return Object.values(address).some((part) => part) ? address : undefined
}

type Result = (registration: Registration, render: (registration: Registration) => string) => void

export function report(registration: Registration, result: Result): void {
  result(registration, registrationText)
  const { state } = registration
  if (state !== 'completed' && state !== 'requiresAction') process.exitCode = 1
}
