import { expect, test } from 'vitest'
import { mergeEqualSchemas } from './openapi-schemas.ts'

const to = (name: string) => ({ $ref: `#/components/schemas/${name}` })

test('each schema stands there once, under its own name, unless what is sent and answered differ', () => {
  const schemas = {
    // Alike both ways.
    Money: { type: 'object' },
    MoneyInput: { type: 'object' },
    // Only sent: with a default nobody has to say `when`.
    Cancellation: { required: ['when'] },
    CancellationInput: { required: [], properties: { refund: to('MoneyInput') } },
    // Only answered.
    Invoice: { properties: { total: to('Money') } },
    InvoiceInput: { properties: { total: to('MoneyInput') }, more: true },
    // Sent and answered, and not alike.
    Page: { required: ['size'] },
    PageInput: { required: [] },
    // No other's: it is called so.
    UserInput: { type: 'string' },
  }
  const paths = [to('CancellationInput'), to('Invoice'), to('Page'), to('PageInput'), to('UserInput')]
  const merged = mergeEqualSchemas({ paths, components: { schemas } })
  expect(merged.components.schemas).toEqual({
    Money: { type: 'object' },
    Cancellation: { required: [], properties: { refund: to('Money') } },
    Invoice: { properties: { total: to('Money') } },
    Page: { required: ['size'] },
    PageInput: { required: [] },
    UserInput: { type: 'string' },
  })
  expect(merged.paths).toEqual([
    to('Cancellation'),
    to('Invoice'),
    to('Page'),
    to('PageInput'),
    to('UserInput'),
  ])
})
