import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { render, h } from 'preact';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'amlnb:plugin',
  autoStart: true,
  activate: (app: JupyterFrontEnd) => {
    console.log('amlnb', app.name);
    render(h('p', null, 'x'), document.createElement('div'));
  }
};
export default plugin;
