/** `npm run coverage`: writes the client's operations and events down, the parameters that are missing, and the README's table of what is served of them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { keyOf } from '../src/http/gaps.ts'
import { routes } from '../src/registry.ts'
import { clientOperations } from './client-operations.ts'
import { coverageTable, withCoverage } from './coverage-table.ts'
import { eventNames, eventNamesModule } from './event-names.ts'
import { missingParametersModule, parametersMissing } from './missing-parameters.ts'
import { operationModules } from './operation-modules.ts'

const operations = await clientOperations()
for (const [file, source] of operationModules(operations)) {
  writeFileSync(new URL(`../src/http/client-operations/${file}`, import.meta.url), source)
}
writeFileSync(
  new URL('../src/http/client-operations/parameters.ts', import.meta.url),
  missingParametersModule(parametersMissing(operations, routes)),
)
writeFileSync(
  new URL('../src/http/client-operations/event-names.ts', import.meta.url),
  eventNamesModule(eventNames()),
)
const readme = new URL('../README.md', import.meta.url)
writeFileSync(readme, withCoverage(readFileSync(readme, 'utf8'), coverageTable(operations, routes)))
const served = operations.filter((operation) => routes.some((route) => keyOf(route) === keyOf(operation)))
console.log(`${served.length} of ${operations.length} operations are served`)
