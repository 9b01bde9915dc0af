import { formatMoney, type Money } from '@lockstep/core/money'

/** An amount as answers carry it: once for reading, once for computing. */
export function moneyToApi(money: Money) {
  return { amount: formatMoney(money), minor: `${money.minor}`, currency: money.currency }
}
