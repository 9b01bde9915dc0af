import { type Money, money } from './money.ts'

// A provider may charge only whole steps of a currency's smallest coin: tens of a dinar's thousandths.

/** The nearest amount of whole steps, half away from zero: in tens, 1.234 and 1.235 are 1.230 and 1.240. */
export function toStep({ minor, currency }: Money, step: bigint): Money {
  const half = minor < 0n ? -step / 2n : step / 2n
  return money(((minor + half) / step) * step, currency)
}

/** The greatest amount of whole steps that is no more than this one, which is not below zero. */
export function downToStep({ minor, currency }: Money, step: bigint): Money {
  return money(minor - (minor % step), currency)
}
