import { optionsOf } from './html.ts'

/** The test cards that a page offers, by their tokens, and what becomes of each. https://docs.stripe.com/testing */
const CARDS = [
  ['pm_card_visa', 'Visa 4242, pays'],
  ['pm_card_mastercard', 'Mastercard 4444, pays'],
  ['pm_card_chargeDeclined', 'Visa 0002, is declined'],
  ['pm_card_chargeCustomerFail', 'Visa 0341, can be saved and is declined later'],
  ['pm_card_authenticationRequired', 'Visa 3184, its bank asks each time'],
] as const

/** A choice among test cards, `chosen` first picked; there is no other field of a card. */
export function cardChoice(chosen?: string): string {
  return `<label>Card <select name="card">${optionsOf(CARDS, chosen)}</select></label>`
}
