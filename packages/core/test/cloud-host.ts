import { defineCatalog } from '../src/catalog.ts'

/** A metered cloud: every model once, at rates that a person can multiply. */
export const cloudHost = defineCatalog({
  currency: 'usd',
  products: {
    cloud: { name: 'Cloud host' },
    compute: { name: 'Compute', unitLabel: 'second' },
    network: { name: 'Network', description: 'Everything that leaves', taxCode: 'txcd_10103001' },
  },
  meters: {
    compute_seconds: { name: 'Compute', unitLabel: 'second', aggregation: 'sum' },
    bandwidth_bytes: { name: 'Bandwidth', unitLabel: 'byte', aggregation: 'sum' },
    storage_gib: { name: 'Storage', unitLabel: 'GiB', aggregation: 'max' },
    requests: { name: 'Requests', unitLabel: 'request', aggregation: 'count' },
  },
  plans: {
    'cloud-host': {
      name: 'Cloud host',
      product: 'cloud',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
        compute: { meter: 'compute_seconds', product: 'compute', model: 'perUnit', unitAmount: '0.0000144' },
        bandwidth: {
          meter: 'bandwidth_bytes',
          product: 'network',
          model: 'graduated',
          tiers: [{ upTo: '1000000000' }, { upTo: null, unitAmount: '0.00000000009' }],
        },
        storage: {
          meter: 'storage_gib',
          model: 'volume',
          tiers: [
            { upTo: '10', unitAmount: '0.20' },
            { upTo: null, unitAmount: '0.15', flatAmount: '1.00' },
          ],
        },
        requests: {
          meter: 'requests',
          product: 'network',
          model: 'package',
          size: '1000000',
          amount: '0.40',
        },
        backup: { kind: 'recurring', timing: 'inArrears', name: 'Backup', model: 'flat', amount: '2.00' },
        support: { model: 'percentage', percent: '10' },
      },
    },
  },
})
