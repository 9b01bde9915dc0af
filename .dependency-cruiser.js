// The arrows between the packages and inside the service (ARCHITECTURE.md). One rule a line: where
// a folder may not reach, and why.
const packages = (names) => `^packages/(${names})/`
const service = (folders) => `^packages/service/src/(${folders})(/|\\.ts)`

const forbid = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to })

// Tests may reach further than the code they test.
const sources = (path) => ({ path, pathNot: '\\.test\\.ts$|/test/' })

export default {
  forbidden: [
    forbid(
      'no-cycles',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
      'A circle has no beginning to read from.',
    ),
    forbid(
      'core-is-pure',
      sources(packages('core')),
      { pathNot: packages('core') },
      'The rules know nothing of the world, not even Node.',
    ),
    forbid(
      'api-over-core',
      sources(packages('api')),
      { path: packages('service|sdk|cli|stripe-simulator') },
      'The contract knows only the rules.',
    ),
    forbid(
      'sdk-over-api',
      sources(packages('sdk')),
      { path: packages('service|cli|stripe-simulator') },
      'The client knows only the contract.',
    ),
    forbid(
      'sdk-runs-in-browsers',
      { path: packages('sdk'), pathNot: '\\.test\\.ts$|/test/|packages/sdk/src/usage-buffer' },
      { dependencyTypes: ['core'] },
      'The SDK uses fetch, nothing of Node, but for the usage buffer, which is a file.',
    ),
    forbid(
      'client-without-files',
      { path: packages('sdk'), pathNot: '\\.test\\.ts$|/test/|packages/sdk/src/usage-buffer' },
      { path: 'packages/sdk/src/usage-buffer' },
      'Whoever takes the client takes no file system with it.',
    ),
    forbid(
      'cli-over-sdk',
      { path: packages('cli'), pathNot: '\\.test\\.ts$|/test/|packages/cli/src/start/' },
      { path: packages('service|stripe-simulator') },
      'Only the starter hands over to the service and the simulator.',
    ),
    forbid(
      'service-is-served',
      sources(packages('service')),
      { path: packages('sdk|cli|stripe-simulator') },
      'The service does not know who calls it.',
    ),
    forbid(
      'simulator-is-a-second-opinion',
      { path: packages('stripe-simulator') },
      { path: packages('core|api|sdk|cli|service') },
      'One proration bug must not agree with itself.',
    ),
    forbid(
      'examples-are-catalogues',
      { path: '^examples/' },
      { pathNot: '^examples/|^packages/core/' },
      'An example uses what its reader can install.',
    ),
    forbid(
      'one-seed-for-all-properties',
      { pathNot: '^test/support/fast-check\\.ts$' },
      { path: 'node_modules/fast-check/' },
      'Every run of the tests tries the same examples.',
    ),
    forbid(
      'only-the-adapter-calls-stripe',
      { path: packages('service'), pathNot: `${service('provider/stripe')}|/test/|\\.test\\.ts$` },
      { path: 'node_modules/stripe/', dependencyTypesNot: ['type-only'] },
      'provider/stripe is the only folder that speaks Stripe.',
    ),
    forbid(
      'store-is-below',
      sources(service('store')),
      { path: service('workflow|provider|http|inbox|usage|jobs|invoice|contract') },
      'The store knows tables, not deeds.',
    ),
    forbid(
      'provider-is-below',
      sources(service('provider')),
      { path: service('workflow|http|inbox|usage|jobs|invoice|contract') },
      'A provider call does not know why it is made.',
    ),
    forbid(
      'workflow-is-below',
      sources(service('workflow')),
      { path: service('http|jobs') },
      'A workflow does not know who started it.',
    ),
    forbid(
      'no-framework-beyond-http',
      { path: packages('service'), pathNot: `${service('http|service')}|/test/|\\.test\\.ts$` },
      { path: 'node_modules/(@?fastify)' },
      'HTTP ends at the door.',
    ),
  ],
  options: {
    // TypeScript 7 has no API to parse with.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
    exclude: { path: '(^|/)dist/' },
  },
}
