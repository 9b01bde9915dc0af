import type { Client, NewRegistration, Registration } from '@lockstep/sdk'
import { type Command, Option } from 'commander'
import { instantText } from '../output/format.ts'
import { registrationText } from '../output/registration-text.ts'
import { UsageError } from '../usage-error.ts'
import { type AddressFlags, addressOf, withAddressOptions } from './address.ts'
import { collect, collectAddon, collectEntry, parseCount, type WantedAddon } from './arguments.ts'
import { findClock } from './clock.ts'

export interface StartFlags {
  readonly plan?: string
  readonly quantity?: number
  readonly addon?: WantedAddon[]
  readonly trialAgain?: boolean
  readonly paymentMethod?: string
  readonly paymentPage?: string
  readonly cancelUrl?: string
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
  readonly agreedAmount?: string
  readonly agreedInterval?: 'day' | 'week' | 'month' | 'year'
  readonly agreedIntervalCount?: number
  readonly agreedProduct?: string
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
    .option('--cancel-url <url>', 'with a page: where the customer goes who does not want to')
}

export function withRegistrationOptions(command: Command): Command {
  const options = withStartOptions(command, { plan: 'the one for signing up' })
    .argument('<external-id>', "your own id of the user, such as 'user_4711'")
    .option('--coupon <key>', 'a coupon of the catalogue; may be given several times', collect)
    .option('--email <address>')
    .option('--name <name>')
    .option('--clock <clock>', 'put the customer on this test clock, by its id or name')
    .option('--slot <key>', 'which of the customer’s subscriptions it is')
    .option('--purchase <type>', "how it is bought, for a second look: the plan's own unless given")
    .option('--currency <code>', "for a second look: must be the plan's")
    .option('--agreed-amount <decimal>', 'for a second look: what a period costs, before discounts and tax')
    .addOption(
      new Option('--agreed-interval <interval>', 'for a second look: how it is billed').choices([
        'day',
        'week',
        'month',
        'year',
      ]),
    )
    .option('--agreed-interval-count <n>', 'for a second look: every so many of them', parseCount)
    .option('--agreed-product <key>', 'for a second look: what it is a plan of')
    .option('--origin <text>', 'where the request came from', 'cli')
    .option('--terms <version>', "of the text that was accepted: the seller's own unless given")
    .option('--metadata <name=value>', 'a fact of your own; may be given several times', collectEntry)
  return withAddressOptions(options)
}

export function startOf({ plan, quantity, addon, trialAgain, paymentMethod, ...page }: StartFlags) {
  const paymentPage = paymentPageOf(page)
  return {
    ...(plan !== undefined && { plan }),
    ...(quantity !== undefined && { quantity }),
    ...(addon && { addons: addon }),
    ...(trialAgain && { trial: 'again' as const }),
    ...(paymentMethod !== undefined && { paymentMethod }),
    ...(paymentPage && { paymentPage }),
  }
}

/** Where the customer leaves a payment method, and where they go from there. */
export function paymentPageOf({
  paymentPage: returnUrl,
  cancelUrl,
}: Pick<StartFlags, 'paymentPage' | 'cancelUrl'>) {
  if (returnUrl !== undefined) return { returnUrl, ...(cancelUrl !== undefined && { cancelUrl }) }
  if (cancelUrl === undefined) return undefined
  throw new UsageError('--cancel-url goes with a page.', 'Give --payment-page too.')
}

export async function registrationOf(
  client: Client,
  externalId: string,
  flags: RegistrationFlags,
): Promise<NewRegistration> {
  const { coupon, email, name, clock, slot, purchase, origin, currency, terms, metadata } = flags
  const address = addressOf(flags)
  const agreed = agreedOf(flags)
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
    ...(agreed && { agreed }),
    ...(terms !== undefined && { acceptance: { termsVersion: terms } }),
    ...(metadata && { metadata }),
    ...(address && { address }),
  }
}

/** What the customer saw; undefined where nothing of it is said. */
function agreedOf(flags: RegistrationFlags) {
  const { agreedAmount, agreedInterval, agreedIntervalCount, agreedProduct } = flags
  const agreed = {
    ...(agreedAmount !== undefined && { amount: agreedAmount }),
    ...(agreedInterval !== undefined && { interval: agreedInterval }),
    ...(agreedIntervalCount !== undefined && { intervalCount: agreedIntervalCount }),
    ...(agreedProduct !== undefined && { product: agreedProduct }),
  }
  return Object.keys(agreed).length > 0 ? agreed : undefined
}

/** Waits until it has ended. It may be long, while the provider is away: what it waits for is said meanwhile. */
export function endedAloud(
  { registrations }: Pick<Client, 'registrations'>,
  id: string,
): Promise<Registration> {
  let told: string | null = null
  const onProgress = ({ stage, problem, nextAttemptAt }: Registration) => {
    if (nextAttemptAt === null || nextAttemptAt === told) return
    told = nextAttemptAt
    const why = problem ? `${problem.title} ${problem.detail} ` : ''
    const when = `Tried again at ${instantText(nextAttemptAt)}, whether somebody waits here or not.`
    process.stderr.write(`${stage === null ? '' : `${stage}: `}${why}${when}\n`)
  }
  return registrations.ended(id, { onProgress })
}

type Result = (registration: Registration, render: (registration: Registration) => string) => void

export function report(registration: Registration, result: Result): void {
  result(registration, registrationText)
  const { state } = registration
  if (state !== 'completed' && state !== 'requiresAction') process.exitCode = 1
}
