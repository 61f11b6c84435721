import { describe, expect, it } from 'vitest';

import type { Comparison } from '../src/core/contract';
import { axesOf, axisOf, differences } from '../src/core/differences';
import { queryOf } from '../src/core/grouped_runs';

type Run = Comparison['runs'][number];

function run(part: Partial<Run>): Run {
  return {
    id: 'r',
    label: 'r',
    experiment: 'e',
    number: 1,
    name: null,
    type: null,
    state: 'Completed',
    target: 'local',
    parent: null,
    created: 0,
    started: 0,
    ended: 1,
    elapsed_s: 1,
    archived: false,
    script: 'train.py',
    error: null,
    parameters: {},
    tags: {},
    metrics: {},
    environment: {},
    git: {},
    ...part
  };
}

const metric = (last: number | 'NaN') => ({ count: 1, last, min: last, max: last });

describe('differences', () => {
  it('tells values that only one run has from empty ones', () => {
    const [parameters] = differences([run({ parameters: { a: '', lr: '1' } }), run({ parameters: { lr: '1' } })]);
    expect(parameters?.rows).toEqual([
      { key: 'parameters.a', name: 'a', values: ['', null], differs: true },
      { key: 'parameters.lr', name: 'lr', values: ['1', '1'], differs: false }
    ]);
  });

  it('holds names that objects know', () => {
    const parameters = JSON.parse('{"__proto__": "1", "constructor": "2"}') as Record<string, string>;
    const [found] = differences([run({ parameters }), run({})]);
    expect(found?.rows.map(row => row.name)).toEqual(['__proto__', 'constructor']);
  });
});

describe('axes', () => {
  it.each([
    [
      ['1', '2', '3'],
      [0, 0.5, 1]
    ],
    [
      ['0.001', '0.1', '10'],
      [0, 0.5, 1]
    ], // over a hundredfold: by the logarithm
    [
      ['adam', 'sgd', 'adam'],
      [0, 1, 0]
    ],
    [
      ['1', null, '3'],
      [0, null, 1]
    ],
    [
      ['1', '1', '1'],
      [0.5, 0.5, 0.5]
    ],
    [
      ['NaN', '1', '2'],
      [null, 0, 1]
    ],
    [
      ['a', 'a', null],
      [0.5, 0.5, null]
    ]
  ])('places %j', (values, places) => {
    axisOf('k', 'k', values).places.forEach((place, index) => {
      const wanted = places[index] ?? null;
      expect(place === null ? null : Number(place.toFixed(9))).toBe(wanted);
    });
  });

  it('are what differs of parameters and metrics', () => {
    const runs = [
      run({ parameters: { lr: '1', same: 'x' }, metrics: { loss: metric(0.5) } }),
      run({ parameters: { lr: '2', same: 'x' }, metrics: { loss: metric('NaN') } })
    ];
    expect(axesOf(runs).map(axis => axis.key)).toEqual(['parameters.lr', 'metrics.loss']);
  });
});

it.each([
  ['target', 'local', undefined, '', 'parent == null and target == "local"'],
  ['parameters.learning-rate', '0.1', undefined, '', 'parent == null and parameters["learning-rate"] == "0.1"'],
  ['tags.x y', null, 'e "1"', 'loss < 1', '(loss < 1) and experiment == "e \\"1\\"" and tags["x y"] == null'],
  ['parameters.s', 'a"b\\', undefined, 'a or b', '(a or b) and parameters["s"] == "a\\"b\\\\"']
])('a group is a query: %s %s', (by, value, experiment, query, wanted) => {
  expect(queryOf(by, value, { experiment, query })).toBe(wanted);
});
