import { Widget } from '@lumino/widgets';
import { type ComponentChild, render } from 'preact';

/** A Preact view as a widget of JupyterLab's; it lives from its first attachment until it is disposed. */
export class PreactWidget extends Widget {
  private drawn = false;

  constructor(private readonly view: () => ComponentChild) {
    super();
    this.addClass('amlnb-host');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      render(null, this.node);
    }
    super.dispose();
  }

  protected override onAfterAttach(): void {
    if (!this.drawn) {
      this.drawn = true;
      render(this.view(), this.node);
    }
  }
}
