/** Every outcome of the check of a client's name, with what to tell a person. */
export const iprevCodes = {
  'iprev.pass': {
    result: 'pass',
    explanation: '{ip} is called {name}, and {name} has the address {ip}.',
  },
  'iprev.no-name': {
    result: 'fail',
    explanation: '{ip} has no name in the reverse zone.',
    advice: 'Who runs {ip} should have its provider publish a PTR record; many receivers refuse mail without one.',
  },
  'iprev.no-agreement': {
    result: 'fail',
    explanation: '{ip} is called {names}, and that name does not have the address {ip}.',
    advice: 'Who runs {ip} should publish an address record that agrees with the PTR record.',
  },
  'iprev.dns-failure': {
    result: 'temperror',
    explanation: 'The name of {ip} could not be found out: {reason}.',
    advice: 'Try again later.',
  },
} as const satisfies Record<
  string,
  { readonly result: 'pass' | 'fail' | 'temperror'; readonly explanation: string; readonly advice?: string }
>;

export type IprevCode = keyof typeof iprevCodes;
