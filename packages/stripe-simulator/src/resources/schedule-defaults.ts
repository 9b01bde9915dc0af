import { clearable, gaps, oneOf, type Params, playedOf, shape, text } from '../http/schema.ts'
import type { ScheduleRow } from '../rows.ts'
import { defined } from '../rules/defined.ts'
import type { World } from '../world.ts'
import { daysUntilDue } from './due-params.ts'
import { accountTaxIds, accountTaxIdsOf } from './printed-fields.ts'
import { customFields, sharedFields, thresholdsOf } from './subscription-fields.ts'
import { automaticTaxParam, taxSetting } from './tax-rates.ts'

type Defaults = ScheduleRow['default_settings']

/** Invoices of a schedule: the settings of a subscription's, and when they are due. */
export const scheduleInvoiceSettings = shape({
  days_until_due: daysUntilDue,
  description: clearable(text()),
  footer: clearable(text()),
  custom_fields: customFields,
  issuer: shape({ type: playedOf(['self'] as const, ['account']) }),
  account_tax_ids: accountTaxIds,
})

/** What every phase does that does not say otherwise. https://docs.stripe.com/api/subscription_schedules/create */
export const defaultSettings = shape({
  automatic_tax: automaticTaxParam,
  billing_cycle_anchor: oneOf(['automatic', 'phase_start'] as const),
  billing_thresholds: sharedFields.billing_thresholds,
  collection_method: sharedFields.collection_method,
  default_payment_method: text(),
  description: clearable(text(500)),
  invoice_settings: scheduleInvoiceSettings,
  ...gaps('application_fee_percent', 'on_behalf_of', 'transfer_data'),
})

type SettingsGiven = Params<(typeof scheduleInvoiceSettings)['fields']>

export function settingsOf(world: World, given: SettingsGiven, param: string) {
  return {
    account_tax_ids: accountTaxIdsOf(world, given.account_tax_ids ?? null, `${param}[account_tax_ids]`),
    custom_fields: given.custom_fields ?? null,
    days_until_due: given.days_until_due ?? null,
    description: given.description ?? null,
    footer: given.footer ?? null,
    issuer: { type: 'self' },
  }
}

/** The settings with what was given changed; the rest stays. */
export function withDefaults(
  world: World,
  before: Defaults,
  given: Params<(typeof defaultSettings)['fields']> | undefined,
): Defaults {
  if (given === undefined) return before
  const { automatic_tax: tax, billing_thresholds: thresholds, invoice_settings: invoices, ...others } = given
  const changed = Object.entries(others).filter(([, value]) => value !== undefined)
  return {
    ...before,
    ...Object.fromEntries(changed),
    ...(tax === undefined ? {} : { automatic_tax: taxSetting(tax.enabled) }),
    ...(thresholds === undefined ? {} : { billing_thresholds: thresholdsOf(thresholds) }),
    ...(invoices === undefined
      ? {}
      : {
          invoice_settings: {
            ...before.invoice_settings,
            ...defined(invoices),
            ...(invoices.account_tax_ids === undefined
              ? {}
              : {
                  account_tax_ids: accountTaxIdsOf(
                    world,
                    invoices.account_tax_ids,
                    'default_settings[invoice_settings][account_tax_ids]',
                  ),
                }),
          },
        }),
  } as Defaults
}
