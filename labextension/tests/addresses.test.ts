import { describe, expect, it } from 'vitest';

import type { Place } from '../src/core/host';
import { addressOf, placeAt } from '../src/core/addresses';

const PLACES: Place[] = [
  { view: 'runs', workspace: 'k1' },
  { view: 'runs', workspace: 'k1', query: 'lr < 0.1 and name == "a/b?c"' },
  { view: 'run', workspace: 'k1', run: 'e_1_a#b/c%' },
  { view: 'compare', workspace: 'k1', runs: ['a', 'b&c'] }
];

describe('addresses', () => {
  it.each(PLACES)('lead back to %j', place => {
    const address = new URL(addressOf(place), 'http://host/base/amlnb/studio/');
    expect(placeAt(address.pathname.slice('/base/amlnb/studio/'.length), address.search)).toEqual(place);
  });

  it.each(['', 'w', 'w/', 'nothing/else', '%zz/x'])('none is at %j', path => {
    expect(placeAt(path, '')).toBeNull();
  });

  it('of an experiment is a query', () => {
    expect(placeAt('w/k/experiments/a%22b', '')).toEqual({
      view: 'runs',
      workspace: 'k',
      query: 'experiment == "a\\"b"'
    });
  });
});
