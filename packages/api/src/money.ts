import { z } from 'zod'

export const currency = z
  .string()
  .regex(/^[a-z]{3}$/, 'Write the three letters of ISO 4217 in lower case.')
  .meta({ description: 'An ISO 4217 code in lower case.', examples: ['usd', 'jpy'] })

/**
 * An exact amount. Both forms say the same: `amount` is for reading, `minor` for computing. They are
 * texts because a JSON number is a float in most languages.
 */
export const money = z
  .strictObject({
    amount: z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .meta({
        description: 'In major units, with as many decimals as the currency has.',
        examples: ['12.00'],
      }),
    minor: z
      .string()
      .regex(/^-?\d+$/)
      .meta({ description: "In the currency's smallest unit: 1200 cents.", examples: ['1200'] }),
    currency,
  })
  .meta({ id: 'Money', description: 'An exact amount with its currency. Negative amounts are credits.' })

/** A price of one unit, in major units; may be finer than the smallest coin. */
export const unitAmount = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,15})?$/, 'Write a decimal number such as "0.0000144".')
  .meta({ description: 'The price of one unit, in major units, exact.', examples: ['0.0000144'] })

/** An amount as a person writes it in a catalogue, in major units. */
export const decimalAmount = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,4})?$/, 'Write a decimal number such as "9.00".')
  .meta({ description: 'An amount in major units, exact.', examples: ['9.00'] })
