const DAY_SECONDS = 86_400

/** When money that came in can be paid out: two days later, from midnight (UTC). https://docs.stripe.com/payouts#payout-speed */
export function availableOn(created: number): number {
  return (Math.floor(created / DAY_SECONDS) + 2) * DAY_SECONDS
}
