"""What conda's packages are on PyPI: their names there, those that have no place there, and those only conda has."""

from __future__ import annotations

import re

CUDA = "PyPI's packages bring their own CUDA"
MATH = "PyPI's packages bring their own math libraries"
LIBRARY = "PyPI's packages bring the libraries they need"
CHOICE = "it only chooses among conda's builds"
PROGRAM = "uv installs the packages"
SYSTEM = "it is of conda itself, or of another system"

# Names on PyPI, where they differ.
PIP_NAMES = {
    "boruta_py": "boruta",
    "brotli-python": "brotli",
    "dask-core": "dask",
    "datadotworld-py": "datadotworld",
    "dgl-cuda10.1": "dgl",
    "dgl-cuda10.2": "dgl",
    "dgl-cuda11.1": "dgl",
    "dgl-cuda11.3": "dgl",
    "docker-py": "docker",
    "esprima-python": "esprima",
    "faiss": "faiss-cpu",
    "gnupg-py": "python-gnupg",
    "h2o-py": "h2o",
    "hjson-py": "hjson",
    "ignite": "pytorch-ignite",
    "keras-base": "keras",
    "keras-gpu": "keras",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "neo4j-python-driver": "neo4j",
    "numpy-base": "numpy",
    "numpy-devel": "numpy",
    "nvidia-ml": "nvidia-ml-py",
    "openbabel": "openbabel-wheel",
    "opencv": "opencv-python",
    "ortools-python": "ortools",
    "plotly_express": "plotly-express",
    "prince-factor-analysis": "prince",
    "psycopg2": "psycopg2-binary",
    "pvlib-python": "pvlib",
    "py-lief": "lief",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "pyct-core": "pyct",
    "pyg": "torch-geometric",
    "pyqt": "pyqt5",
    "pysoundfile": "soundfile",
    "pytables": "tables",
    "python-annoy": "annoy",
    "python-blosc": "blosc",
    "python-confluent-kafka": "confluent-kafka",
    "python-fastjsonschema": "fastjsonschema",
    "python-flair": "flair",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-hdfs": "hdfs",
    "python-kaleido": "kaleido",
    "python-kubernetes": "kubernetes",
    "python-lmdb": "lmdb",
    "python-mss": "mss",
    "python-sounddevice": "sounddevice",
    "python-symengine": "symengine",
    "python-wget": "wget",
    "python-xxhash": "xxhash",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "pytorch-nightly": "torch",
    "pytorch-nightly-cpu": "torch",
    "pytorch_geometric": "torch-geometric",
    "redis-py": "redis",
    "ruamel_yaml": "ruamel.yaml",
    "seaborn-base": "seaborn",
    "sentencepiece-python": "sentencepiece",
    "tensorflow-base": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-eigen": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "tensorflow-gpu-base": "tensorflow",
    "tensorflow-mkl": "tensorflow",
    "torchvision-cpu": "torchvision",
    "trino-python-client": "trino",
}

_OF_MATH = """
    blas icc_rt intel-openmp lapack liblapack mkl mkl-dnn mkl-include mkl-service mkl_fft mkl_random openblas tbb
"""
_OF_SYSTEM = """
    appnope conda conda-env conda-package-handling menuinst nb_conda nb_conda_kernels pyreadline python.app pywin32
    pywinpty ucrt vc vc14_runtime vs2013_runtime vs2015_runtime vs2017_win-64 win_inet_pton wincertstore
"""
_OF_LIBRARY = """
    abseil-cpp aom arrow-cpp boost-cpp bzip2 c-ares c-blosc2 ca-certificates cairo certifi-win32 cfitsio charls curl
    dav1d dbus double-conversion eigen elfutils expat fftw fontconfig fonts-conda-ecosystem fonts-conda-forge
    freetype freexl fribidi gdk-pixbuf geos geotiff gettext gflags giflib glib glib-tools glog gmp gnutls graphite2
    grpc-cpp gst-plugins-base gstreamer gtest harfbuzz hdf4 hdf5 icu jasper jbig jpeg json-c jxrlib kealib keyutils
    krb5 lame lcms2 leptonica lerc level-zero lz4-c lzo magma metis mpc mpfr mysql-common mysql-libs ncurses nettle
    nlohmann_json nspr nss nsync openh264 openjpeg openldap openssl orc p11-kit pango pcre pcre2 pixman poppler-data
    postgresql-libs proj proj-data proj4 pthread-stubs qt qt-main qt-webengine rav1e rdma-core re2 readline s2n sip
    sleef snappy sqlite suitesparse svt-av1 tiledb tk tktable tzcode tzdata unixodbc uriparser x264 x265 xerces-c xz
    yaml yaml-cpp zeromq zfp zlib zlib-ng zstd
"""
_DROPPED = {
    CUDA: "cudatoolkit cudatoolkit-dev cudnn nccl cupti cutensor pytorch-cuda tensorrt",
    MATH: _OF_MATH,
    CHOICE: "cpuonly nomkl pytorch-mutex python_abi tensorflow-mutex py-xgboost-mutex blas-devel",
    PROGRAM: "pip wheel",
    SYSTEM: _OF_SYSTEM,
    LIBRARY: _OF_LIBRARY,
}
_REASONS = {name: reason for reason, names in _DROPPED.items() for name in names.split()}
# Dropped as well, by how they begin.
_DROPPED_PREFIXES = (
    (re.compile(r"_.*"), CHOICE),
    (re.compile(r"(cuda-|libcu|libnv|libnpp|magma-cuda|cudatoolkit|gds-tools).*"), CUDA),
    (re.compile(r"(m2w64|msys2)-.*"), SYSTEM),
    (re.compile(r"(lib|xorg-|ld_impl_|aws-c-|aws-checksums|aws-crt-cpp|azure-.*-cpp|font-ttf-).*"), LIBRARY),
)
# They begin as those do, and are Python's.
_OF_PYTHON = """
    cuda-python lib50 libarchive-c libclang libcloud libcst libipld libpysal libretranslate librosa libsass
    libsvm-official libtmux libusb1
"""
_ONLY_CONDA = """
    anaconda autoconf automake bedtools binutils bison blender boost bowtie2 bwa c-compiler ccache cmdstan compilers
    cudf cugraph cuml cupy cxx-compiler doxygen emacs ffmpeg flex fortran-compiler freeglut gdal gdb ghostscript git
    git-lfs glew go graphviz grass gsl gts htop imagemagick intelpython3_core intelpython3_full java-jdk jdk julia
    kallisto llvm llvmdev lua m4 make mamba mambaforge maven micromamba mongodb mpi mpich mysql nano nasm nco nginx
    nltk_data nodejs octave openjdk openmpi openslide pandoc patch perl pkg-config plotly-orca poppler portaudio
    postgresql qgis r rapids redis redis-server rstudio rsync ruby rust sagemath salmon samtools sox subversion
    swi-prolog tesseract texinfo texlive-core tmux tree ucx unzip vim wget yarn zip
"""
_ONLY_CONDA_PREFIXES = re.compile(
    r"(r-|bioconductor-|perl-|spacy-model-|gcc|gxx|gfortran|clang(xx|dev|_|-|$)|sysroot_|kernel-headers_|binutils_).*"
)

# Channels whose packages, by and large, are on PyPI too.
_PUBLIC_CHANNELS = """
    anaconda archive bioconda bokeh conda-forge defaults dglteam fastai fastchan free h2oai huggingface intel main
    menpo microsoft msys2 nodefaults numba nvidia plotly pro pyg pytorch pytorch-nightly pytorch-test pyviz r
    rapidsai stanfordnlp
"""


def reason_dropped(name: str) -> str | None:
    """Why a conda package has no place among those of PyPI; None if it has one, or is only conda's."""
    if name in _REASONS:
        return _REASONS[name]
    if name in PIP_NAMES or name in _OF_PYTHON.split():
        return None
    return next((reason for pattern, reason in _DROPPED_PREFIXES if pattern.fullmatch(name)), None)


def is_only_conda(name: str) -> bool:
    """Tell whether a package is nothing that PyPI has: a program, a compiler, or of another language."""
    return name in _ONLY_CONDA.split() or bool(_ONLY_CONDA_PREFIXES.fullmatch(name))


def is_public_channel(name: str) -> bool:
    """Tell whether the packages of a channel are, by and large, on PyPI too."""
    return name in _PUBLIC_CHANNELS.split()
