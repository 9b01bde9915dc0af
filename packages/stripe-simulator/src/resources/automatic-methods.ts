import { invalid, StripeError } from '../errors.ts'
import { bool, type Kind, oneOf, type Params, required, shape } from '../http/schema.ts'
import type { PaymentIntentRow, SetupIntentRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import { METHOD_TYPES } from '../rules/test-accounts.ts'
import type { World } from '../world.ts'

/** Whether an intent takes the methods of the dashboard. */
export const automaticParam = shape({
  enabled: required(bool),
  allow_redirects: oneOf(['always', 'never'] as const),
})

/**
 * What fixed the methods of an intent is refused since endive with a code of its own.
 * https://docs.stripe.com/changelog/endive/2026-09-30/removes-the-payment-method-types-parameter-from-payment-intents-and-setup-intents
 */
export const formerTypes: { readonly payment_method_types: Kind<never> } = {
  payment_method_types: {
    parse(_raw, path): never {
      throw invalid(
        `The parameter \`${path}\` is no longer supported. Use \`allowed_payment_method_types\` instead.`,
        path,
        'payment_method_types_no_longer_supported',
      )
    },
  },
}

interface Asked {
  readonly automatic_payment_methods?: Params<(typeof automaticParam)['fields']> | undefined
  readonly allowed_payment_method_types?: string[] | undefined
}

/**
 * Which methods an intent takes: since 2023-08-16 those of the dashboard, unless a list fixes them, which says
 * `payment_method_types` in the versions that have it and turns them off here. As recorded: Kiln-AI/stripe_world
 * tests/conformance/cassettes/10_setup_intents.json, steps 4 to 7.
 * https://docs.stripe.com/changelog/2023-08-16/automatic-payment-methods
 */
export function takenMethods(asked: Asked) {
  const { automatic_payment_methods: automatic, allowed_payment_method_types: allowed } = asked
  if (automatic?.enabled === false) {
    return {
      allowed_payment_method_types: null,
      automatic_payment_methods: null,
      payment_method_types: allowed ?? ['card'],
    }
  }
  return {
    allowed_payment_method_types: allowed ?? null,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true, ...defined(automatic ?? {}) },
    payment_method_types: METHOD_TYPES.filter((type) => allowed?.includes(type) !== false),
  } as const
}

/**
 * "When confirming, you're now required to provide a `return_url`, unless `off_session=true`" or redirects are off. The
 * words as recorded. Of methods that are named by the request none sends anybody away.
 */
export function refuseNoReturn(
  world: World,
  intent: PaymentIntentRow | SetupIntentRow,
  { offSession, returnUrl }: { readonly offSession: boolean; readonly returnUrl?: string | undefined },
): void {
  const automatic = intent.automatic_payment_methods
  if (offSession || returnUrl !== undefined || intent.allowed_payment_method_types !== null) return
  if (automatic?.enabled !== true || automatic.allow_redirects === 'never') return
  const [noun, name] =
    intent.object === 'payment_intent' ? ['PaymentIntent', 'payment_intent'] : ['SetupIntent', 'setup_intent']
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message: `This ${noun} is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a \`return_url\`. If you don't want to accept redirect-based payment methods, set \`automatic_payment_methods[enabled]\` to \`true\` and \`automatic_payment_methods[allow_redirects]\` to \`never\` when creating Setup Intents and Payment Intents.`,
    [name as string]: world.render(intent),
  })
}
