/** How many appliances of each scenario a build can wait for: enough that everything in it happens to somebody. */
export const SIZES: Readonly<Record<string, number>> = {
  'broker-crashes': 60,
  'ca-outage': 20,
  clones: 60,
  'first-boot': 200,
  'hostile-lan': 40,
  'limits-tight': 100,
  'mass-revocation': 300,
  'monday-morning': 60,
  'moving-day': 60,
  'profile-change': 20,
  ramp: 160,
  'ramp-override': 60,
  'reconnect-storm': 100,
  'renewal-info': 40,
  'renewal-year': 30,
  shelf: 80,
};
