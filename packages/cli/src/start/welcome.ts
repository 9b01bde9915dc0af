import { formatInstant, parseInstant } from '@lockstep/core/instant'
import type { Client } from '@lockstep/sdk'
import type { LocalInstallation } from '../local-installation.ts'
import { invoiceText } from '../output/invoice-text.ts'
import { bold, dim } from '../output/style.ts'
import { demoCustomers } from './demo-customers.ts'

/** What a newcomer sees: where everything is, an invoice that explains itself, what to try next. */
export async function welcome(client: Client, installation: LocalInstallation): Promise<string> {
  const { url, simulatorUrl, apiKey } = installation
  const addresses = [
    ['API', url],
    ['Docs', `${url}/docs`],
    ...(simulatorUrl ? [['Stripe, simulated', simulatorUrl]] : []),
    ['API key', apiKey],
  ].map(([name = '', value = '']) => `  ${dim(name.padEnd(18))} ${value}`)
  return [
    `\n${bold('Lockstep runs.')}`,
    ...addresses,
    ...(installation.demo === 'loaded' ? ['', await demoText(client)] : []),
    '',
  ].join('\n')
}

async function demoText(client: Client): Promise<string> {
  const first = demoCustomers[0]?.externalId ?? ''
  const customer = await client.customers.list({ externalId: first }).first()
  if (!customer) return ''
  const { subscriptions } = await client.customers.billing(customer.id)
  const invoice = subscriptions[0]?.currentInvoice
  // Wherever its clock stands: a time that is over cannot be turned to.
  const dayAfter = invoice && formatInstant((parseInstant(invoice.period.end) ?? 0) + 86_400).slice(0, 10)
  return [
    ...(invoice
      ? [
          bold(`What ${customer.name ?? first} owes at this moment, and why:`),
          invoiceText(invoice, { explain: true }),
          '',
        ]
      : []),
    bold('Try, in another terminal:'),
    `  npm run -s lockstep -- invoices show ${demoCustomers[1]?.externalId} --explain`,
    ...(dayAfter
      ? [`  npm run -s lockstep -- clock advance ${first} --to ${dayAfter}     ${dim('# close its month')}`]
      : []),
    `  npm run -s lockstep -- invoices list ${first}`,
  ].join('\n')
}
