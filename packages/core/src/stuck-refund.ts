/** Why a refund needs a person: nobody else will bring it to its end. */
export const stuckReasons = ['unanswered', 'pending', 'actionRequired', 'failed'] as const
export type StuckReason = (typeof stuckReasons)[number]

/** After this a call that the provider has not answered is worth a look; it goes on being tried. */
export const UNANSWERED_SECONDS = 600

/**
 * What is under way at a bank for longer does not come to its end by itself, as a rule: most refunds succeed at once, and
 * those of debits within some working days. https://docs.stripe.com/refunds
 */
export const PENDING_SECONDS = 5 * 86_400
