print("about to fail")
raise ValueError("the data are not what they were")
