const CARDS = [
  'pm_card_visa',
  'pm_card_mastercard',
  'pm_card_chargeDeclined',
  'pm_card_chargeCustomerFail',
  'pm_card_authenticationRequired',
]

/** The test cards that a page offers, by their tokens; there is no other field of a card. */
export function cardChoice(): string {
  return `<label>Card <select name="card">${CARDS.map((card) => `<option>${card}</option>`).join('')}</select></label>`
}
