import type { Config } from '../config.ts'
import { avalara } from './avalara.ts'
import { untaxed } from './none.ts'
import type { Tax } from './port.ts'
import { stripeTax } from './stripe-tax.ts'

/** The tax provider that the configuration names. */
export function openTax({ tax }: Pick<Config, 'tax'>): Tax {
  const { whenDown } = tax
  switch (tax.provider) {
    case 'none':
      return untaxed
    case 'stripe':
      return { port: stripeTax, whenDown }
    case 'avalara':
      return { port: avalara(tax.avalara), whenDown }
  }
}
