import { formatInstant } from '@lockstep/core/instant'
import type { Withheld } from '@lockstep/core/unused-time'
import type { EndPreview } from '../../workflow/deeds/end-promise.ts'
import type { PreviewLine } from '../../workflow/deeds/preview-cancel.ts'
import { moneyToApi } from '../money-to-api.ts'

export function cancellationPreviewToApi(preview: EndPreview) {
  const { endsAt, usage, discounts, tax, unusedTime, toBill, toGiveBack, withheld } = preview
  return {
    endsAt: formatInstant(endsAt),
    usage: usage.map(lineToApi),
    discounts: discounts.map(({ name, coupon, amount }) => ({ name, coupon, amount: moneyToApi(amount) })),
    tax: tax && moneyToApi(tax),
    unusedTime: unusedTime.map(lineToApi),
    toBill: moneyToApi(toBill),
    toGiveBack: moneyToApi(toGiveBack),
    notGivenBack: withheld.map(withheldToApi),
    token: preview.token,
    expiresAt: formatInstant(preview.promise.expiresAt),
  }
}

export function withheldToApi({ reason, amount }: Withheld) {
  return { reason, amount: moneyToApi(amount) }
}

function lineToApi({ description, period, amount }: PreviewLine) {
  const { start, end } = period
  return {
    description,
    period: { start: formatInstant(start), end: formatInstant(end) },
    amount: moneyToApi(amount),
  }
}
