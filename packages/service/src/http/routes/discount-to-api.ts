import type { Discount } from '@lockstep/core/discount'
import { formatMoney } from '@lockstep/core/money'

export function discountToApi({ name, coupon, off, duration, start, end }: Discount) {
  return {
    ...{ name, coupon, start, end },
    off: off.kind === 'percent' ? off : { kind: off.kind, amount: amountToApi(off) },
    duration: duration.kind,
    months: duration.kind === 'repeating' ? duration.months : null,
  }
}

function amountToApi({ minor, currency }: { readonly minor: string; readonly currency: string }) {
  return { amount: formatMoney({ minor: BigInt(minor), currency }), minor, currency }
}
