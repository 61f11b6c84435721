/** A file of a run as a download or a picture: by its address, or fetched where the host has none or it may change. */

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { saveFile } from './chart_export';
import { FaultBox } from './fault_box';
import { telling } from './telling';
import { transOf } from './trans';
import { useAnswer } from './use_answer';

interface FileProps {
  host: Host;
  model: RunModel;
  /** As the run has it. */
  name: string;
}

export interface FileLinkProps extends FileProps {
  class: string;
  label?: string;
  children: ComponentChildren;
}

export function FileLink({ host, model, name, class: look, label, children }: FileLinkProps) {
  const { client, workspace, run } = model;
  const same = { class: look, 'aria-label': label, title: label };
  if (host.base) {
    return (
      <a {...same} href={client.fileAddress(workspace, run, name)} download>
        {children}
      </a>
    );
  }
  const save = async (): Promise<void> => {
    saveFile(name.slice(name.lastIndexOf('/') + 1), await client.file(workspace, run, name));
  };
  return (
    <button {...same} type="button" onClick={() => void telling(host, save)}>
      {children}
    </button>
  );
}

export interface FilePictureProps extends FileProps {
  alt: string;
  /** When it was written, of a file that may be written again: a browser does not ask twice for one address. */
  written?: string;
}

export function FilePicture({ host, model, name, alt, written }: FilePictureProps) {
  if (!host.base || written !== undefined) {
    return <FetchedPicture {...{ host, model, name, alt }} written={written ?? ''} />;
  }
  const address = model.client.fileAddress(model.workspace, model.run, name, true);
  return <img class="amlnb-picture" loading="lazy" alt={alt} src={address} />;
}

function FetchedPicture({ host, model, name, alt, written }: Required<FilePictureProps>) {
  const { client, workspace, run } = model;
  const { answer, fault, again } = useAnswer(() => client.file(workspace, run, name), [model, name], {
    version: written
  });
  const [address, setAddress] = useState('');
  useEffect(() => {
    if (!answer) {
      return undefined;
    }
    const made = URL.createObjectURL(answer);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [answer]);
  if (fault) {
    return <FaultBox fault={fault} again={again} trans={transOf(host)} />;
  }
  return address ? <img class="amlnb-picture" alt={alt} src={address} /> : <div class="amlnb-loading" />;
}
