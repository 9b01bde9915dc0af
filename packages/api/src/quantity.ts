import { z } from 'zod'

/** Units of a meter, exact to nine decimals. */
export const quantity = z
  .string()
  .regex(/^-?\d{1,29}(\.\d{1,9})?$/, 'Write a decimal number with at most nine decimals.')
  .meta({ description: 'Units of a meter, exact to nine decimals.', examples: ['2747282740', '0.5'] })
