/** What the charts of a panel share: their axis, smoothing and zoom. */

import { batch, signal } from '@preact/signals';

import type { Remembered } from '../core/host';
import type { Axis, Range } from './curves';

export interface ChartChoice {
  axis: Axis;
  weight: number;
  log: boolean;
  large: boolean;
}

let panels = 0;

export class ChartSettings {
  readonly axis = signal<Axis>('step');
  /** Weight of the smoothing, 0 for none. */
  readonly weight = signal(0);
  readonly log = signal(false);
  /** Whether charts stand in few columns. */
  readonly large = signal(false);
  /** The part of the axis that is shown; null for all of it. */
  readonly zoom = signal<Range | null>(null);
  /** Whether the zoom stays where it is when points come in; else it goes along with the newest. */
  readonly pinned = signal(true);
  /** Charts with the same key share their cursor. */
  readonly syncKey = `amlnb-${++panels}`;

  /** @param remembered Where a person's choice is kept; without it, it is not. */
  constructor(private readonly remembered?: Remembered<ChartChoice>) {
    const choice = remembered?.get();
    if (choice) {
      this.axis.value = choice.axis;
      this.weight.value = choice.weight;
      this.log.value = choice.log;
      this.large.value = choice.large;
    }
  }

  setAxis(axis: Axis): void {
    batch(() => {
      this.axis.value = axis;
      this.zoom.value = null;
    });
    this.keep();
  }

  setWeight(weight: number): void {
    this.weight.value = Math.min(Math.max(weight, 0), 0.999);
    this.keep();
  }

  setLog(log: boolean): void {
    this.log.value = log;
    this.keep();
  }

  setLarge(large: boolean): void {
    this.large.value = large;
    this.keep();
  }

  /** Show this part, or all. */
  setZoom(range: Range | null): void {
    batch(() => {
      this.zoom.value = range;
      this.pinned.value = true;
    });
  }

  private keep(): void {
    const { axis, weight, log, large } = this;
    this.remembered?.set({ axis: axis.value, weight: weight.value, log: log.value, large: large.value });
  }
}
