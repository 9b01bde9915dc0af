import type { Tax, TaxPort } from './port.ts'

/** Nobody asks for tax: prices are what is paid. */
const none: TaxPort = {
  provider: 'none',
  isAutomatic: false,
  assess: async () => ({ provider: 'none', status: 'none', metadata: {} }),
}

export const untaxed: Tax = { port: none, whenDown: 'block' }
