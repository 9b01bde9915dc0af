import type { Instant } from '@lockstep/core/instant'
import type { Insertable, Selectable } from 'kysely'
import type { BusTables } from './schema/bus.ts'
import type { CatalogTables } from './schema/catalog.ts'
import type { Default } from './schema/columns.ts'
import type { ContractTables } from './schema/contracts.ts'
import type { CustomerTables } from './schema/customers.ts'
import type { ImportTables } from './schema/imports.ts'
import type { InstallationTables } from './schema/installation.ts'
import type { InvoiceTables } from './schema/invoices.ts'
import type { MoneyBackTables } from './schema/money-back.ts'
import type { OutboxTables } from './schema/outbox.ts'
import type { PlanChangeTables } from './schema/plan-changes.ts'
import type { PlanRollTables } from './schema/plan-rolls.ts'
import type { PriceOverrideTables } from './schema/price-overrides.ts'
import type { ProviderTables } from './schema/provider.ts'
import type { ProviderUsageTables } from './schema/provider-usage.ts'
import type { SpendLimitTables } from './schema/spend-limits.ts'
import type { SubscriptionLifeTables } from './schema/subscription-life.ts'
import type { SubscriptionTables } from './schema/subscriptions.ts'
import type { UsageTables } from './schema/usage.ts'
import type { WorkflowTables } from './schema/workflows.ts'

/** What a row of a table looks like when read, and when written. */
export type Row<Name extends keyof Database> = Selectable<Database[Name]>
export type NewRow<Name extends keyof Database> = Insertable<Database[Name]>

/** Every table of `sql/`; each noun's are in a file of `schema/`. */
export interface Database
  extends InstallationTables,
    CatalogTables,
    CustomerTables,
    WorkflowTables,
    SubscriptionTables,
    SubscriptionLifeTables,
    PlanChangeTables,
    PlanRollTables,
    ContractTables,
    UsageTables,
    InvoiceTables,
    PriceOverrideTables,
    SpendLimitTables,
    MoneyBackTables,
    ProviderTables,
    ProviderUsageTables,
    ImportTables,
    BusTables,
    OutboxTables {
  schemaMigration: SchemaMigrationTable
}

/** Written by `postgres/migrate.ts`. */
interface SchemaMigrationTable {
  name: string
  sha256: Buffer
  appliedAt: Default<Instant>
}
