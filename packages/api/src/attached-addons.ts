import { z } from 'zod'
import { key } from './ids.ts'

const MOST = 20

/** An add-on as it stands on a subscription. */
export const attachedAddon = z
  .strictObject({
    addon: key.meta({ description: "The add-on's key." }),
    version: z
      .int()
      .min(1)
      .meta({ description: 'The one that was attached: it stays until it is detached.' }),
    quantity: z.int().min(0).meta({ description: '0 only where the provider was told so elsewhere.' }),
  })
  .meta({ id: 'AttachedAddon' })

/** Add-ons that a request names, each once. */
function named(quantity: z.ZodType<number>) {
  return z
    .array(z.strictObject({ addon: key.meta({ description: "The add-on's key." }), quantity }))
    .max(MOST)
    .refine((list) => new Set(list.map(({ addon }) => addon)).size === list.length, 'Each add-on once.')
}

export const changedAddons = named(
  z.int().min(0).max(1_000_000).meta({ description: 'The new number, not a difference; 0 detaches it.' }),
)

export const newAddons = named(z.int().min(1).max(1_000_000)).meta({
  description: 'What is sold beside the plan, from the beginning on.',
})
