/** What the customer does who is asked by the bank, or sent to a page of Stripe's. */
export type Deed =
  | 'confirms'
  /** The bank does not get the answer that it asked for. */
  | 'fails to confirm'
  | 'confirms in vain'
  | 'leaves a card'
  /** Stripe closes a page by itself in the end. */
  | 'lets the page expire'
  /** The tab is closed: nobody hears of it, and time passes. */
  | 'stays away'
  /** Comes back, and the application cancels. */
  | 'gives up'

/** What is asked, and how it ends whatever breaks on the way. */
export interface Wish {
  readonly plan: string
  /** Stripe's names of cards: https://docs.stripe.com/testing. */
  readonly paymentMethod?: string
  readonly onPage?: boolean
  /** The customer has a free plan in the slot `before`, and a Mastercard that everything is charged to. */
  readonly known?: boolean
  readonly customer?: Deed
  readonly coupons?: readonly string[]
  readonly end: 'completed' | 'rolledBack'
  readonly charges: number
  /** Live subscriptions that come of it; 1 unless given. */
  readonly lives?: number
}

const VISA = 'pm_card_visa'
const ASKS = 'pm_card_authenticationRequired'
const ASKS_AND_DECLINES = 'pm_card_threeDSecureRequiredChargeDeclined'
const completed = { end: 'completed', charges: 1 } as const
const unpaid = { end: 'completed', charges: 0 } as const
const rolledBack = { end: 'rolledBack', charges: 0 } as const
// One invoice: no subscription comes of it, and its slot is given back.
const ticket = { plan: 'ticket', lives: 0 } as const

export const wishes: readonly Wish[] = [
  { plan: 'team', paymentMethod: VISA, ...completed },
  { plan: 'free', ...unpaid },
  { plan: 'trial', ...unpaid },
  { plan: 'team', paymentMethod: VISA, coupons: ['half'], ...completed },
  { plan: 'course', paymentMethod: VISA, ...completed },
  { ...ticket, paymentMethod: VISA, ...completed },
  // Attaches, and every charge is declined.
  { plan: 'team', paymentMethod: 'pm_card_chargeCustomerFail', ...rolledBack },
  // Cannot even be attached.
  { plan: 'team', paymentMethod: 'pm_card_chargeDeclined', ...rolledBack },

  { plan: 'team', paymentMethod: ASKS, customer: 'confirms', ...completed },
  { plan: 'course', paymentMethod: ASKS, customer: 'confirms', ...completed },
  { ...ticket, paymentMethod: ASKS, customer: 'confirms', ...completed },
  { plan: 'team', paymentMethod: ASKS, customer: 'fails to confirm', ...rolledBack },
  { plan: 'team', paymentMethod: ASKS_AND_DECLINES, customer: 'confirms in vain', ...rolledBack },
  { plan: 'team', paymentMethod: ASKS, customer: 'stays away', ...rolledBack },
  { ...ticket, paymentMethod: ASKS, customer: 'stays away', ...rolledBack },
  { plan: 'team', paymentMethod: ASKS, customer: 'gives up', ...rolledBack },

  { plan: 'team', known: true, paymentMethod: VISA, ...completed },
  { ...ticket, known: true, paymentMethod: VISA, ...completed },
  { plan: 'team', known: true, paymentMethod: ASKS, customer: 'confirms', ...completed },
  { plan: 'team', known: true, paymentMethod: ASKS, customer: 'stays away', ...rolledBack },
  { plan: 'course', known: true, onPage: true, customer: 'leaves a card', ...completed },

  { plan: 'team', onPage: true, customer: 'leaves a card', ...completed },
  { plan: 'trial', onPage: true, customer: 'leaves a card', ...unpaid },
  { plan: 'team', onPage: true, customer: 'lets the page expire', ...rolledBack },
  { plan: 'team', onPage: true, customer: 'stays away', ...rolledBack },
  { ...ticket, onPage: true, customer: 'gives up', ...rolledBack },
]
