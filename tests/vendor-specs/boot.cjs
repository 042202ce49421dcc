// SPDX-License-Identifier: MIT OR Apache-2.0
// Runs the specs of a bundle with jasmine, in Node, a page or a worker, and hands each result on.
// A page and a worker load jasmine.js, this and the bundle as scripts; Node requires this.
(function (scope) {
  scope.prepareSpecs = function (jasmineRequire) {
    const jasmine = jasmineRequire.core(jasmineRequire);
    const env = jasmine.getEnv({ suppressLoadErrors: true });
    Object.assign(scope, jasmineRequire.interface(jasmine, env));
    env.configure({ random: false, failSpecWithNoExpectations: false });
    return (report) => {
      env.addReporter({
        specDone: ({ fullName, status, failedExpectations }) =>
          report({ fullName, status, failures: failedExpectations.map(({ message }) => message) }),
        suiteDone: ({ fullName, failedExpectations }) => failedExpectations.forEach(({ message }) =>
          report({ fullName: `${fullName} (suite)`, status: 'failed', failures: [message] })),
        jasmineDone: ({ overallStatus, failedExpectations }) =>
          report({ done: overallStatus, failures: failedExpectations.map(({ message }) => message) }),
      });
      env.execute();
    };
  };
})(globalThis);

if (typeof process === 'object' && process.argv[1]?.endsWith('boot.cjs')) {
  const run = globalThis.prepareSpecs(require('jasmine-core/lib/jasmine-core/jasmine.js'));
  require(process.argv[2]);
  run((result) => process.send(result));
}
