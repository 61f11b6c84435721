document.title = 'amlnb';
